internal import Glibc
internal import JSON
public import Tensors

/// A tensor to be written, made when its turn comes.
public struct TensorToWrite: Sendable {
    public var key: String
    public var type: DType
    public var shape: [Int]
    /// The tensor, of this type and shape.
    public var make: @Sendable () throws -> Tensor

    public init(key: String, type: DType, shape: [Int], make: @escaping @Sendable () throws -> Tensor) {
        self.key = key
        self.type = type
        self.shape = shape
        self.make = make
    }

    /// A tensor that is at hand.
    public init(key: String, _ tensor: Tensor) {
        self.init(key: key, type: tensor.dtype, shape: tensor.shape.array) { tensor }
    }

    /// Number of bytes; `nil` when it does not fit a number.
    var byteCount: Int? {
        var count = type.byteCount
        for side in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: side)
            if overflow || side < 0 { return nil }
            count = product
        }
        return count
    }
}

/// Writes safetensors files of any size: one tensor at a time is in memory.
public enum SafetensorsWriter {
    /// Writes a file as a whole or not at all: under a temporary name in the same folder, renamed when it is complete.
    ///
    /// Tensors are stored in the order given; the largest element types should come first where alignment matters.
    ///
    /// - Parameters:
    ///   - metadata: texts for the header's `__metadata__`.
    ///   - progress: told the bytes written so far and in all, after every tensor; what it throws ends the writing.
    /// - Throws: ``CheckpointError`` for keys that occur twice, tensors of another type or shape than announced and
    ///   whatever the system refuses; nothing is left behind then.
    public static func write(
        _ tensors: [TensorToWrite], metadata: [(key: String, text: String)], to path: String,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws {
        let (header, total) = try header(tensors, metadata, path)
        guard !path.utf8.contains(0) else {
            throw CheckpointError(.unreadable, "the file name contains a NUL character: \(path.debugDescription)")
        }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let temporary = "\(folder).graphrun-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36)).tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fault("cannot create", temporary, errno) }
        do {
            try unsafe append(header.span.bytes, to: descriptor, path)
            var done = 0
            for tensor in tensors {
                let made = try tensor.make()
                guard made.dtype == tensor.type, made.shape.array == tensor.shape else {
                    throw CheckpointError(
                        .shapeMismatch,
                        "\(path): \"\(tensor.key)\" came as \(made.dtype.rawValue) \(made.shape), announced as "
                            + "\(tensor.type.rawValue) \(tensor.shape)")
                }
                try unsafe made.withBytes { try unsafe append(RawSpan(_unsafeBytes: $0), to: descriptor, path) }
                done += tensor.byteCount ?? 0
                try progress(done, total)
            }
        } catch {
            close(descriptor)
            unsafe unlink(temporary)
            throw error
        }
        let closed = close(descriptor)
        guard closed == 0, unsafe rename(temporary, path) == 0 else {
            let failure = errno
            unsafe unlink(temporary)
            throw fault("cannot write", path, failure)
        }
    }

    /// The header with its length before it, and the bytes of all tensors.
    private static func header(
        _ tensors: [TensorToWrite], _ metadata: [(key: String, text: String)], _ path: String
    ) throws(CheckpointError) -> (bytes: [UInt8], total: Int) {
        var object = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for entry in metadata { texts[entry.key] = .string(entry.text) }
            object["__metadata__"] = .object(texts)
        }
        var total = 0
        for tensor in tensors {
            guard tensor.key != "__metadata__", object[tensor.key] == nil else {
                throw CheckpointError(.malformed, "\(path): two tensors of the name \"\(tensor.key)\"")
            }
            guard let count = tensor.byteCount else {
                throw CheckpointError(.malformed, "\(path): \"\(tensor.key)\" \(tensor.shape) is too large")
            }
            let (end, overflow) = total.addingReportingOverflow(count)
            guard !overflow else { throw CheckpointError(.malformed, "\(path): the file would be too large") }
            object[tensor.key] = .object([
                "dtype": .string(tensor.type.rawValue), "shape": .array(tensor.shape.map { .int(Int64($0)) }),
                "data_offsets": .array([.int(Int64(total)), .int(Int64(end))]),
            ])
            total = end
        }
        var text = Array(JSON.object(object).text().utf8)
        while text.count % 8 != 0 { text.append(0x20) }
        guard text.count <= SafetensorsHeader.maximumSize else {
            throw CheckpointError(
                .malformed,
                "\(path): the header would have \(text.count) bytes (at most \(SafetensorsHeader.maximumSize)): the "
                    + "workflow in it is too large")
        }
        return ((0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text, total)
    }

    private static func append(_ bytes: RawSpan, to descriptor: CInt, _ path: String) throws {
        try unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count, let base = buffer.baseAddress {
                let count = unsafe Glibc.write(descriptor, base + written, buffer.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw fault("cannot write", path, count < 0 ? errno : EIO) }
                written += count
            }
        }
    }

    private static func fault(_ what: String, _ path: String, _ failure: CInt) -> CheckpointError {
        CheckpointError(.unreadable, "\(what) \(path): \(unsafe String(cString: strerror(failure)))")
    }
}
