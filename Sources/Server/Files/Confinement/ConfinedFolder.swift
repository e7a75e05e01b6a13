import Glibc
import NodeKit

/// A folder whose files are reached by foreign names: nothing outside it is, whatever the names say and whatever links lie
/// in it, also when somebody changes the folder meanwhile.
///
/// A file is found first and judged then: the system resolves the name to an open descriptor that allows nothing yet
/// (`O_PATH`), says where that really lies, and only what lies below the folder is opened. Between the two steps nothing
/// can be exchanged, because the descriptor is the file, not its name. Links that stay inside are followed.
struct ConfinedFolder: Sendable {
    /// The folder, as configured; it may be a link itself and need not exist yet.
    let path: String

    init(_ path: String) { self.path = path }

    // MARK: Finding

    /// - Throws: ``FolderFault/Code/missing`` when it does not exist.
    func root() throws(FolderFault) -> Descriptor { try Descriptor.open(path, Descriptor.unopened | O_DIRECTORY) }

    /// What the name means, for looking at only.
    func find(_ name: ConfinedName) throws(FolderFault) -> Descriptor {
        let root = try root()
        if name.isRoot { return root }
        let found = try Descriptor.open(name.path, in: root, Descriptor.unopened)
        try require(found, in: root, name)
        return found
    }

    private func require(_ found: Descriptor, in root: Descriptor, _ name: ConfinedName) throws(FolderFault) {
        guard try found.realPath().isPath(in: root.realPath()) else {
            throw FolderFault(.outside, "\(quoted(name.path)) is a link that leads out of its folder")
        }
    }

    func status(_ name: ConfinedName) throws(FolderFault) -> FileStatus { try find(name).status() }

    /// Whether the folder itself is there.
    func exists() throws(FolderFault) -> Bool {
        do throws(FolderFault) {
            _ = try root()
            return true
        } catch {
            guard error.code == .missing else { throw error }
            return false
        }
    }

    /// Whether there is something of that name, even a link that leads nowhere.
    func isTaken(_ name: ConfinedName) throws(FolderFault) -> Bool {
        do throws(FolderFault) {
            _ = try find(name)
            return true
        } catch {
            guard error.code == .missing else { throw error }
        }
        guard let folder = try? folder(name.parent) else { return false }
        var record = stat()
        return unsafe fstatat(folder.number, name.last, &record, AT_SYMLINK_NOFOLLOW) == 0
    }

    // MARK: Reading

    /// Opens a regular file.
    ///
    /// - Throws: ``FolderFault``: missing, outside, ``FolderFault/Code/wrongKind`` for folders, pipes and devices.
    func open(_ name: ConfinedName) throws(FolderFault) -> OpenedFile {
        let found = try find(name)
        let status = try found.status()
        guard status.kind == .file else {
            throw FolderFault(.wrongKind, "\(quoted(name.path)) is not a file")
        }
        // The same file again, by its descriptor.
        let readable = try Descriptor.open("/proc/self/fd/\(found.number)", O_RDONLY | O_NONBLOCK)
        return OpenedFile(readable, status)
    }

    /// A folder below this one, for looking up names in it.
    func folder(_ name: ConfinedName) throws(FolderFault) -> Descriptor {
        let found = try find(name)
        guard try found.status().kind == .folder else {
            throw FolderFault(.wrongKind, "\(quoted(name.path)) is not a folder")
        }
        return found
    }

    /// A folder below this one, made with those above it where it is missing.
    func makeFolder(_ name: ConfinedName) throws(FolderFault) -> Descriptor {
        try makeRoot()
        let root = try root()
        var current = root
        for (index, part) in name.parts.enumerated() {
            if unsafe mkdirat(current.number, part, 0o777) != 0, errno != EEXIST {
                throw FolderFault.system("cannot make the folder", part)
            }
            let next = try Descriptor.open(part, in: current, Descriptor.unopened | O_DIRECTORY)
            let here = try ConfinedName(name.parts[...index].joined(separator: "/"))
            // Before anything is made below it.
            try require(next, in: root, here)
            current = next
        }
        return current
    }

    private func makeRoot() throws(FolderFault) {
        if unsafe mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw FolderFault.system("cannot make the folder", path) }
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            if unsafe mkdir(made, 0o777) != 0, errno != EEXIST {
                throw FolderFault.system("cannot make the folder", made)
            }
        }
    }
}
