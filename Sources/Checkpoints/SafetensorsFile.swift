public import Tensors

/// A safetensors file: tensors as views of the mapped file.
public struct SafetensorsFile: Sendable {
    public let path: String
    public let header: SafetensorsHeader
    private let file: MappedFile

    /// Maps a file and checks its header.
    ///
    /// - Throws: ``CheckpointError``: unreadable, or malformed with the place of the fault.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        file = try MappedFile(path: path)
        let start = file.bytes(0..<8)
        guard start.count == 8 else {
            throw CheckpointError(.malformed, "\(path): \(file.byteCount) bytes are too few for a safetensors file")
        }
        let length = start.enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
        // Only of a length that cannot be: 640, for one, begins like a pickle.
        let isPlausible = length > 0 && length <= UInt64(max(file.byteCount - 8, 0))
        if !isPlausible, let other = Self.otherFormat(start) {
            throw CheckpointError(
                .malformed, "\(path) is \(other), not safetensors; convert it to safetensors or use the original file")
        }
        guard length <= UInt64(SafetensorsHeader.maximumSize) else {
            throw CheckpointError(
                .malformed, "\(path): claims a header of \(length) bytes (at most \(SafetensorsHeader.maximumSize))")
        }
        guard length > 0, 8 + Int(length) <= file.byteCount else {
            throw CheckpointError(
                .malformed, "\(path): claims a header of \(length) bytes in a file of \(file.byteCount)")
        }
        header = try SafetensorsHeader(
            file.bytes(8..<8 + Int(length)), dataStart: 8 + Int(length), fileSize: file.byteCount, path: path)
    }

    private static func otherFormat(_ start: [UInt8]) -> String? {
        if start.starts(with: Array("PK".utf8)) { return "a zip archive (a PyTorch pickle checkpoint)" }
        if start.starts(with: Array("GGUF".utf8)) { return "a GGUF file" }
        if ["GGJT", "GGML", "tjgg", "lmgg"].contains(where: { start.starts(with: Array($0.utf8)) }) {
            return "a file of ggml's old formats"
        }
        if start.first == 0x80, (2...5).contains(start[1]) { return "a Python pickle" }
        return nil
    }

    public var keys: Dictionary<String, StoredTensor>.Keys { header.tensors.keys }

    /// The tensor of a key, or `nil`.
    ///
    /// - Throws: ``CheckpointError/Code/unsupported`` for element types and ranks that we cannot hold.
    public func tensor(_ key: String) throws(CheckpointError) -> Tensor? {
        guard let stored = header.tensors[key] else { return nil }
        guard let dtype = DType(rawValue: stored.type) else {
            throw CheckpointError(
                .unsupported, "\(path): tensor \"\(key)\" has the type \(stored.type), which is not supported")
        }
        guard stored.shape.count <= Shape.maximumRank else {
            throw CheckpointError(
                .unsupported, "\(path): tensor \"\(key)\" has \(stored.shape.count) dimensions; at most 6 are supported"
            )
        }
        return try view(stored, dtype, key)
    }

    private func view(_ stored: StoredTensor, _ dtype: DType, _ key: String) throws(CheckpointError) -> Tensor {
        // Tensors need not be aligned to their element size; such a one is copied.
        guard stored.bytes.lowerBound % dtype.byteCount == 0 else {
            let bytes = file.bytes(stored.bytes)
            return try tensorCall(key) { () throws(TensorError) in
                try unsafe Tensor.buildBytes(Shape(stored.shape), dtype: dtype) { out throws(TensorError) in
                    unsafe out.copyBytes(from: bytes)
                }
            }
        }
        return try tensorCall(key) { () throws(TensorError) in
            try Tensor(
                storage: file, dtype: dtype, shape: Shape(stored.shape),
                offset: stored.bytes.lowerBound / dtype.byteCount)
        }
    }

    private func tensorCall(_ key: String, _ body: () throws(TensorError) -> Tensor) throws(CheckpointError) -> Tensor {
        do { return try body() } catch {
            throw CheckpointError(.malformed, "\(path): tensor \"\(key)\": \(error.message)")
        }
    }
}
