import Glibc

/// Reading of files that decide what code is run.
enum CheckedFile {
    /// The bytes of a regular file that nobody but its owner and group can write.
    ///
    /// Never blocks (a pipe under the name is refused) and follows no symbolic link in the last place.
    /// - Throws: ``PluginError``.
    static func read(_ path: String, limit: Int) throws(PluginError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            throw PluginError(
                errno == ELOOP ? "\(path) is a symbolic link" : "\(path) cannot be opened: \(lastProblem())")
        }
        defer { _ = close(file) }
        var record = stat()
        guard unsafe fstat(file, &record) == 0 else {
            throw PluginError("\(path) cannot be looked at: \(lastProblem())")
        }
        guard record.st_mode & S_IFMT == S_IFREG else { throw PluginError("\(path) is not a regular file") }
        guard record.st_mode & S_IWOTH == 0 else {
            throw PluginError("\(path) can be written by everybody: chmod o-w it once you trust what is in it")
        }
        guard record.st_size <= limit else {
            throw PluginError("\(path) has \(record.st_size) bytes, at most \(limit) are read")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(record.st_size) + 1)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw PluginError("\(path) cannot be read: \(lastProblem())") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw PluginError("\(path) grew while it was read") }
        }
    }

    /// The reason of the last failed call.
    static func lastProblem() -> String { unsafe String(cString: strerror(errno)) }
}
