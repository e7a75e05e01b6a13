import Glibc

/// A file being written under a temporary name beside its own, which it gets when it is complete: readers never see half
/// a file, and a failed write leaves nothing behind.
struct AtomicFile {
    /// What the temporary names of this process begin with; the same as in the module Images.
    static var prefix: String { ".graphrun-\(getpid())-" }

    private let path: String
    private let descriptor: Int32

    /// - Parameter isDurable: whether the content reaches the disc before the name does, so that a power cut leaves
    ///   nothing or all of it.
    /// - Throws: ``FileError`` when the file cannot be written; what `body` throws.
    static func write(_ path: String, isDurable: Bool = false, _ body: (AtomicFile) throws -> Void) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let temporary = "\(folder)\(prefix)\(String(UInt32.random(in: 0 ... .max), radix: 36)).tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path, "cannot be written: \(FileSystem.lastProblem())") }
        var isOpen = true
        do {
            try body(AtomicFile(path: path, descriptor: descriptor))
            if isDurable, fsync(descriptor) != 0 {
                throw FileError(path, "cannot be written: \(FileSystem.lastProblem())")
            }
            isOpen = false
            // Some file systems only notice here that the disk is full.
            guard close(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
                throw FileError(path, "cannot be written: \(FileSystem.lastProblem())")
            }
        } catch {
            if isOpen { _ = close(descriptor) }
            unsafe _ = unlink(temporary)
            throw error
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var start = 0
        while start < bytes.count {
            let count = unsafe Glibc.write(descriptor, bytes.baseAddress?.advanced(by: start), bytes.count - start)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError(path, "cannot be written: \(FileSystem.lastProblem())") }
            start += count
        }
    }
}

/// Writes a whole file: under a temporary name, renamed when it is complete.
///
/// - Throws: ``FileError``.
public func writeFile(_ bytes: [UInt8], to path: String) throws {
    try AtomicFile.write(path) { file in try unsafe bytes.withUnsafeBytes { try unsafe file.append($0) } }
}
