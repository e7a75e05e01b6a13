import JSON
public import Tensors

/// Writes tensors into a safetensors file: under a temporary name, renamed when it is complete.
public struct SafetensorsWriter {
    private var tensors: [(key: String, tensor: Tensor)] = []
    private var keys: Set<String> = []

    public init() {}

    public var count: Int { tensors.count }

    /// Adds a host tensor; the first one under a key stays.
    public mutating func add(_ tensor: Tensor, as key: String) {
        if keys.insert(key).inserted { tensors.append((key, tensor)) }
    }

    /// - Throws: ``FileError`` when the file cannot be written, `TensorError` for tensors that the host cannot read.
    public func write(to path: String) throws {
        // By name: nodes that ran beside each other were added in any order.
        let tensors = tensors.sorted { $0.key < $1.key }
        var header = JSONObject()
        var offset = 0
        for (key, tensor) in tensors {
            let end = offset + tensor.count * tensor.dtype.byteCount
            header[key] = .object([
                "dtype": .string(tensor.dtype.rawValue),
                "shape": .array(tensor.shape.array.map { .int(Int64($0)) }),
                "data_offsets": .array([.int(Int64(offset)), .int(Int64(end))]),
            ])
            offset = end
        }
        var text = Array(JSON.object(header).text().utf8)
        // The format wants the data to begin at a multiple of 8.
        while text.count % 8 != 0 { text.append(0x20) }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        try AtomicFile.write(path) { file throws in
            try unsafe (length + text).withUnsafeBytes { try unsafe file.append($0) }
            for (_, tensor) in tensors {
                let contiguous = tensor.isContiguous ? tensor : try tensor.converted(to: tensor.dtype)
                try unsafe contiguous.withBytes { try unsafe file.append($0) }
            }
        }
    }
}
