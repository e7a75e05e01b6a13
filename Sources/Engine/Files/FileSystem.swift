import Glibc
import NodeKit

/// The calls of the operating system that the engine needs, without Foundation, whose loading alone takes longer than
/// starting the program may.
enum FileSystem {
    /// What `stat` says of a path, symbolic links followed.
    struct Status {
        var isDirectory: Bool
        var isFile: Bool
        var byteCount: Int
        /// Device and number of the file: equal for the same file under two names.
        var identity: Identity
        /// Time of the last change of the content, in nanoseconds since 1970.
        var modified: Int
        /// Time of the last change of content, name or permissions, in nanoseconds since 1970; nobody can set it.
        var changed: Int
    }

    struct Identity: Hashable {
        var device: UInt
        var number: UInt
    }

    /// `nil` when there is nothing, or nothing that may be looked at.
    static func status(_ path: String) -> Status? {
        var record = stat()
        guard unsafe stat(path, &record) == 0 else { return nil }
        let kind = record.st_mode & S_IFMT
        return Status(
            isDirectory: kind == S_IFDIR, isFile: kind == S_IFREG, byteCount: Int(record.st_size),
            identity: Identity(device: UInt(record.st_dev), number: UInt(record.st_ino)),
            modified: nanoseconds(record.st_mtim), changed: nanoseconds(record.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }

    /// The names in a folder, sorted, without `.` and `..`; `nil` when it cannot be read.
    static func entries(_ path: String) -> [String]? {
        guard let folder = unsafe opendir(path) else { return nil }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path without symbolic links and dots; `nil` when it does not exist.
    static func realPath(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Whether a path without links lies in one of some folders, whose own links are followed.
    static func isInside(_ real: String, _ folders: [String]) -> Bool {
        folders.contains { folder in
            guard let root = realPath(folder) else { return false }
            return real != root && real.isPath(in: root)
        }
    }

    /// Makes a folder and those above it.
    ///
    /// - Returns: whether the folder is there now.
    @discardableResult static func makeFolder(_ path: String, mode: mode_t = 0o777) -> Bool {
        if status(path)?.isDirectory == true { return true }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            makeFolder(String(path[..<slash]), mode: mode)
        }
        return unsafe mkdir(path, mode) == 0 || status(path)?.isDirectory == true
    }

    /// A new folder whose name begins with `prefix`; `nil` when it cannot be made.
    static func makeTemporaryFolder(_ prefix: String) -> String? {
        var template = Array((prefix + "XXXXXX").utf8CString)
        return unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = unsafe mkdtemp(base) else { return nil }
            return unsafe String(cString: made)
        }
    }

    /// Removes a folder with everything in it; links are removed, not followed.
    static func removeTree(_ path: String) {
        var record = stat()
        guard unsafe lstat(path, &record) == 0 else { return }
        if record.st_mode & S_IFMT == S_IFDIR {
            for name in entries(path) ?? [] { removeTree(path + "/" + name) }
            unsafe _ = rmdir(path)
        } else {
            unsafe _ = unlink(path)
        }
    }

    /// The bytes of a file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(path, "cannot be opened: \(lastProblem())") }
        defer { _ = close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0 { throw FileError(path, "cannot be read: \(lastProblem())") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw FileError(path, "is larger than \(limit) bytes") }
        }
    }

    /// The reason of the last failed call ("No such file or directory").
    static func lastProblem() -> String { unsafe String(cString: strerror(errno)) }
}

/// What is wrong with a file.
public struct FileError: Error, Sendable, CustomStringConvertible {
    public var path: String
    public var message: String

    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path) \(message)" }
}
