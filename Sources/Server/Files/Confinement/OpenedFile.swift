import Glibc
import NIOCore

/// A regular file open for reading. Whatever happens to its name, these are the bytes that were found.
final class OpenedFile: Sendable {
    let status: FileStatus
    private let descriptor: Descriptor

    init(_ descriptor: Descriptor, _ status: FileStatus) {
        self.descriptor = descriptor
        self.status = status
    }

    var byteCount: Int { status.byteCount }

    /// The bytes from `offset`, at most `count` of them; fewer only at the end.
    func read(at offset: Int, count: Int) throws(FolderFault) -> ByteBuffer {
        guard offset >= 0, count >= 0 else {
            throw FolderFault(.system, "\(count) bytes at \(offset) cannot be read")
        }
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var failure: Int32 = 0
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            var done = 0
            while done < count {
                let got = unsafe pread(
                    descriptor.number, bytes.baseAddress.map { unsafe $0 + done }, count - done, off_t(offset + done))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                done += got
            }
            return done
        }
        guard failure == 0 else {
            errno = failure
            throw FolderFault.system("cannot read", "a file")
        }
        return buffer
    }

    /// All bytes of a file of at most `limit`.
    ///
    /// - Throws: ``FolderFault/Code/tooLarge``.
    func readAll(limit: Int) throws(FolderFault) -> [UInt8] {
        guard byteCount <= limit else {
            throw FolderFault(.tooLarge, "the file has \(byteCount) bytes, the limit is \(limit)")
        }
        return Array(try read(at: 0, count: byteCount).readableBytesView)
    }

    /// Whether two files hold the same bytes.
    func hasSameContent(as other: OpenedFile) throws(FolderFault) -> Bool {
        guard byteCount == other.byteCount else { return false }
        let chunk = 1 << 20
        var offset = 0
        while offset < byteCount {
            let (a, b) = (try read(at: offset, count: chunk), try other.read(at: offset, count: chunk))
            guard a == b, a.readableBytes > 0 else { return false }
            offset += a.readableBytes
        }
        return true
    }
}
