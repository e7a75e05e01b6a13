import Glibc
import NIOCore

/// A file without a name yet: it gets one when it is complete, or vanishes.
final class UnfinishedFile: Sendable {
    private let folder: Descriptor
    /// `nil` for a file that has no name at all: the system removes it with the process.
    private let name: String?
    private let file: Descriptor
    // Set once it has got its name, before anybody else sees this object again.
    private nonisolated(unsafe) var isNamed = false

    /// A new file in a folder, under a name that nothing else uses.
    fileprivate init(in folder: Descriptor) throws(FolderFault) {
        self.folder = folder
        // O_RDWR: what was written is compared with what is there.
        if let nameless = try? Descriptor.open(".", in: folder, Descriptor.nameless | O_RDWR) {
            (name, file) = (nil, nameless)
        } else {
            let name = Self.freshName()
            (self.name, file) = (name, try Descriptor.open(name, in: folder, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW))
        }
    }

    private static func freshName() -> String {
        "\(ConfinedName.unfinished)\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
    }

    deinit { if let name, unsafe !isNamed { unsafe _ = unlinkat(folder.number, name, 0) } }

    func append(_ bytes: some Sequence<UInt8>) throws(FolderFault) {
        var failure: Int32 = 0
        let bytes = Array(bytes)
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = unsafe write(
                    file.number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 {
                    failure = count < 0 ? errno : EIO
                    break
                }
                done += count
            }
        }
        guard failure == 0 else {
            errno = failure
            throw FolderFault.system("cannot write", "a file")
        }
    }

    /// What was written so far.
    func opened() throws(FolderFault) -> OpenedFile { OpenedFile(file, try file.status()) }

    /// Gives it its name in a checked folder.
    fileprivate func finish(in target: Descriptor, as last: String, replacing: Bool) throws(FolderFault) {
        if try give(target, last, replacing: replacing) { return }
        if errno == EEXIST { throw FolderFault(.exists, "there is a file \(quoted(last)) already") }
        // Another file system, or one without second names: a copy beside the target.
        guard errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP else {
            throw FolderFault.system("cannot write", last)
        }
        guard try target.realPath() != folder.realPath() else { return try claim(target, last) }
        let copy = try UnfinishedFile(in: target)
        let source = try opened()
        var offset = 0
        while offset < source.byteCount {
            let chunk = try source.read(at: offset, count: 1 << 20)
            guard chunk.readableBytes > 0 else { break }
            try copy.append(chunk.readableBytesView)
            offset += chunk.readableBytes
        }
        try copy.finish(in: target, as: last, replacing: replacing)
    }

    /// - Returns: whether it has its name; otherwise `errno` says why not.
    private func give(_ target: Descriptor, _ last: String, replacing: Bool) throws(FolderFault) -> Bool {
        guard let name else {
            if !replacing { return link(target, last) }
            // A name is only taken over from another one.
            let passing = Self.freshName()
            guard link(target, passing) else { return false }
            guard unsafe renameat(target.number, passing, target.number, last) == 0 else {
                let number = errno
                unsafe _ = unlinkat(target.number, passing, 0)
                errno = number
                return false
            }
            return true
        }
        // The temporary name goes with this object.
        if !replacing { return unsafe linkat(folder.number, name, target.number, last, 0) == 0 }
        guard unsafe renameat(folder.number, name, target.number, last) == 0 else { return false }
        unsafe isNamed = true
        return true
    }

    /// A first name for a file without one.
    private func link(_ target: Descriptor, _ last: String) -> Bool {
        unsafe linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", target.number, last, AT_SYMLINK_FOLLOW) == 0
    }

    /// Takes the name where the file system knows no second names: by an empty file that nobody else can have made.
    private func claim(_ target: Descriptor, _ last: String) throws(FolderFault) {
        _ = try Descriptor.open(last, in: target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        guard let name, unsafe renameat(folder.number, name, target.number, last) == 0 else {
            throw FolderFault.system("cannot write", last)
        }
        unsafe isNamed = true
    }
}

extension ConfinedFolder {
    /// Begins a file; made complete by ``finish(_:as:replacing:)`` of this folder or another.
    func begin() throws(FolderFault) -> UnfinishedFile { try UnfinishedFile(in: makeFolder(.root)) }

    /// Gives a complete file its name; folders on the way are made.
    ///
    /// - Parameter replacing: whether a file of that name may be replaced. A link of that name is replaced itself, never
    ///   what it points to.
    /// - Throws: ``FolderFault/Code/exists``; ``FolderFault/Code/wrongKind`` where the name is that of a folder.
    func finish(_ file: UnfinishedFile, as name: ConfinedName, replacing: Bool) throws(FolderFault) {
        guard !name.isRoot else { throw FolderFault(.invalidName, "the file name is empty") }
        let folder = try makeFolder(name.parent)
        if replacing, (try? status(name).kind) == .folder {
            throw FolderFault(.wrongKind, "\(quoted(name.path)) is a folder")
        }
        try file.finish(in: folder, as: name.last, replacing: replacing)
    }

    /// Writes a whole file or nothing.
    func write(_ bytes: some Sequence<UInt8>, to name: ConfinedName, replacing: Bool) throws(FolderFault) {
        let file = try begin()
        try file.append(bytes)
        try finish(file, as: name, replacing: replacing)
    }

    /// Removes a regular file; a link is removed itself.
    func remove(_ name: ConfinedName) throws(FolderFault) {
        guard !name.isRoot else { throw FolderFault(.invalidName, "the file name is empty") }
        let folder = try folder(name.parent)
        guard try status(name).kind == .file else {
            throw FolderFault(.wrongKind, "\(quoted(name.path)) is not a file")
        }
        guard unsafe unlinkat(folder.number, name.last, 0) == 0 else {
            throw FolderFault.system("cannot remove", name.path)
        }
    }

    /// Renames a file or folder; folders on the way are made.
    ///
    /// - Throws: ``FolderFault/Code/exists`` when there is one of the new name and it may not be replaced.
    func move(_ name: ConfinedName, to target: ConfinedName, replacing: Bool) throws(FolderFault) {
        guard !name.isRoot, !target.isRoot else { throw FolderFault(.invalidName, "the file name is empty") }
        // Also refuses links that lead out.
        let kind = try status(name).kind
        let source = try folder(name.parent)
        let destination = try makeFolder(target.parent)
        if !replacing {
            // Two names for a moment: nobody's file is replaced in between. Folders cannot have two.
            if kind == .file, unsafe linkat(source.number, name.last, destination.number, target.last, 0) == 0 {
                unsafe _ = unlinkat(source.number, name.last, 0)
                return
            }
            if try isTaken(target) { throw FolderFault(.exists, "there is a file \(quoted(target.path)) already") }
        }
        guard unsafe renameat(source.number, name.last, destination.number, target.last) == 0 else {
            switch errno {
            case EINVAL: throw FolderFault(.invalidName, "\(quoted(name.path)) cannot be moved into itself")
            case ENOTDIR, EISDIR: throw FolderFault(.exists, "there is something else \(quoted(target.path)) already")
            default: throw FolderFault.system("cannot move", name.path)
            }
        }
    }
}
