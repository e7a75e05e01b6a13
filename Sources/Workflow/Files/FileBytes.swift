import Glibc

/// Reading whole files.
enum FileBytes {
    /// Larger files are refused: no workflow comes near.
    static let maximumSize = 1 << 30

    static func read(_ path: String) throws(WorkflowError) -> [UInt8] {
        func fault(_ what: String) -> WorkflowError {
            WorkflowError(.unreadable, "cannot read the file: \(what)", file: path)
        }
        guard !path.utf8.contains(0) else { throw fault("the name holds the character U+0000") }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(message(errno)) }
        defer { close(descriptor) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else { throw fault(message(errno)) }
        guard information.st_mode & S_IFMT != S_IFDIR else { throw fault("it is a folder") }
        var bytes: [UInt8] = []
        // The size is a hint only: pipes have none, and files can grow.
        let expected = Int(information.st_size)
        bytes.reserveCapacity(min(max(0, expected), maximumSize) + 1)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw fault(message(errno))
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= maximumSize else { throw fault("it is larger than 1 GiB") }
            bytes += chunk[..<count]
        }
    }

    private static func message(_ code: CInt) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
