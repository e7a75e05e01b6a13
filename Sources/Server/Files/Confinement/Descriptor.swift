import Glibc

/// An open file or folder; closed when nobody holds it any more.
final class Descriptor: Sendable {
    /// Linux's `O_PATH`: the descriptor stands for the file, but allows nothing with it. glibc shows the constant, which
    /// is the same for all processors that Swift runs on, to C with `_GNU_SOURCE` only.
    static let unopened: Int32 = 0o10_000_000

    /// Linux's `O_TMPFILE`: a file without a name in a folder.
    static let nameless: Int32 = 0o20_000_000 | O_DIRECTORY

    let number: Int32

    init(adopting number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// Opens a path of ours, or one relative to a folder, which must be checked then.
    static func open(
        _ path: String, in folder: Descriptor? = nil, _ flags: Int32, mode: mode_t = 0o666
    ) throws(FolderFault) -> Descriptor {
        while true {
            let number = unsafe openat(folder?.number ?? AT_FDCWD, path, flags | O_CLOEXEC, mode)
            if number >= 0 { return Descriptor(adopting: number) }
            guard errno == EINTR else { throw FolderFault.system("cannot open", path) }
        }
    }

    /// Where the system says that it lies, without links.
    func realPath() throws(FolderFault) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return unsafe readlink("/proc/self/fd/\(number)", start.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard count > 0, count < buffer.count else { throw FolderFault.system("cannot tell the place of", "a file") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    func status() throws(FolderFault) -> FileStatus {
        var record = stat()
        guard unsafe fstat(number, &record) == 0 else { throw FolderFault.system("cannot look at", "a file") }
        return FileStatus(record)
    }
}

/// What the system knows of a file.
struct FileStatus: Sendable, Hashable {
    enum Kind: Sendable { case file, folder, other }

    var kind: Kind
    var byteCount: Int
    /// Time of the last change of the content, in nanoseconds since 1970.
    var modified: Int
    /// Time of the last change of content, name or permissions, in nanoseconds since 1970.
    var changed: Int
    /// Device and number: equal for one file under two names.
    var identity: Identity

    struct Identity: Sendable, Hashable {
        var device: UInt
        var number: UInt
    }

    init(_ record: stat) {
        let format = record.st_mode & S_IFMT
        kind = format == S_IFREG ? .file : format == S_IFDIR ? .folder : .other
        byteCount = Int(record.st_size)
        modified = Int(record.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(record.st_mtim.tv_nsec)
        changed = Int(record.st_ctim.tv_sec) &* 1_000_000_000 &+ Int(record.st_ctim.tv_nsec)
        identity = Identity(device: UInt(record.st_dev), number: UInt(record.st_ino))
    }
}
