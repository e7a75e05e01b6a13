import Glibc
import NodeKit

extension ConfinedFolder {
    /// A file or folder in a listing.
    struct Entry: Sendable, Hashable {
        /// Relative to the folder that was listed.
        var path: String
        var status: FileStatus
    }

    /// Beyond these a folder is a mistake (a whole disk), and listing it would look like a hang.
    private static let maximumDepth = 32
    private static let maximumEntries = 100_000

    /// What is in a folder below this one, sorted by path. Links that lead out and unfinished files are left out.
    ///
    /// - Throws: ``FolderFault/Code/missing``, ``FolderFault/Code/outside``, ``FolderFault/Code/tooLarge``.
    func entries(of name: ConfinedName, recursive: Bool = false) throws(FolderFault) -> [Entry] {
        var listing = Listing(top: try root().realPath(), isRecursive: recursive)
        try listing.read(folder(name), prefix: "")
        return listing.entries.sorted { $0.path < $1.path }
    }

    private struct Listing {
        let top: String
        let isRecursive: Bool
        var entries: [Entry] = []
        /// Folders above the one being read: a link back to one of them is a circle.
        private var above: [FileStatus.Identity] = []

        init(top: String, isRecursive: Bool) {
            self.top = top
            self.isRecursive = isRecursive
        }

        mutating func read(_ folder: Descriptor, prefix: String) throws(FolderFault) {
            let identity = try folder.status().identity
            guard above.count < maximumDepth, !above.contains(identity) else { return }
            above.append(identity)
            defer { above.removeLast() }
            for name in try names(folder) where !name.hasPrefix(".graphrun-") {
                // Gone meanwhile, or a link that leads nowhere.
                guard let found = try? Descriptor.open(name, in: folder, Descriptor.unopened),
                    let status = try? found.status(),
                    let real = try? found.realPath(), real.isPath(in: top)
                else { continue }
                guard entries.count < maximumEntries else {
                    throw FolderFault(.tooLarge, "the folder has more than \(maximumEntries) entries")
                }
                entries.append(Entry(path: prefix + name, status: status))
                if isRecursive, status.kind == .folder { try read(found, prefix: prefix + name + "/") }
            }
        }

        private func names(_ folder: Descriptor) throws(FolderFault) -> [String] {
            let number = unsafe openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard number >= 0 else { throw FolderFault.system("cannot list", "a folder") }
            guard let stream = unsafe fdopendir(number) else {
                _ = close(number)
                throw FolderFault.system("cannot list", "a folder")
            }
            defer { unsafe _ = closedir(stream) }
            var names: [String] = []
            while let entry = unsafe readdir(stream) {
                // d_name is declared as 256 bytes, of which only those up to the NUL exist.
                let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
                let start = unsafe UnsafeRawPointer(entry) + offset
                let name = unsafe String(cString: start.assumingMemoryBound(to: CChar.self))
                if name != "." && name != ".." { names.append(name) }
            }
            return names
        }
    }
}
