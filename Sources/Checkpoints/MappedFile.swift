internal import Glibc
public import Tensors

/// A file mapped read-only into memory. Pages come in when touched and can be dropped at any time, so a model larger
/// than RAM still loads.
///
/// A file that shrinks while it is mapped raises SIGBUS on access; the program installs a handler that says so.
@safe public final class MappedFile: Storage {
    public let path: String
    public let byteCount: Int
    // Never written, and unmapped only when nobody refers to it any more.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    /// - Throws: ``CheckpointError/Code/unreadable`` with the system's reason.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(.unreadable, "\(path) is not a regular file")
        }
        byteCount = Int(status.st_size)
        if byteCount == 0 {
            unsafe base = nil
            return
        }
        let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw Self.failure(path, "cannot be mapped into memory")
        }
        unsafe base = UnsafeRawPointer(mapped)
    }

    deinit {
        if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }
    }

    public var hostBytes: UnsafeRawBufferPointer? { unsafe UnsafeRawBufferPointer(start: base, count: byteCount) }

    /// A copy of the bytes `range`, clamped to the file.
    public func bytes(_ range: Range<Int>) -> [UInt8] {
        let clamped = range.clamped(to: 0..<byteCount)
        guard let base = unsafe base, !clamped.isEmpty else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: base + clamped.lowerBound, count: clamped.count))
    }

    private static func failure(_ path: String, _ what: String) -> CheckpointError {
        let reason = unsafe String(cString: strerror(errno))
        return CheckpointError(.unreadable, "\(path) \(what): \(reason)")
    }
}
