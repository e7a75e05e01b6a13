/// One entry of a safetensors header.
public struct StoredTensor: Sendable, Hashable {
    /// Type name as in the file: "BF16".
    public var type: String
    public var shape: [Int]
    /// Bytes of the tensor, counted from the start of the file.
    public var bytes: Range<Int>

    public var elementCount: Int { shape.reduce(1, *) }
}

/// The header of a safetensors file, checked against the file's size (format: github.com/huggingface/safetensors).
public struct SafetensorsHeader: Sendable {
    /// Headers above this size are refused, as the format prescribes.
    public static let maximumSize = 100_000_000
    /// Bits per element of every type of the format, also those that we only list.
    static let bits: [String: Int] = [
        "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I64": 64, "I32": 32,
        "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8, "C64": 64, "F4": 4, "F6_E2M3": 6,
        "F6_E3M2": 6,
    ]

    public var tensors: [String: StoredTensor] = [:]
    public var metadata: [String: String] = [:]

    /// Parses and checks the header `text` of a file of `fileSize` bytes; the data start at `dataStart`.
    init(_ text: [UInt8], dataStart: Int, fileSize: Int, path: String) throws(CheckpointError) {
        var reader = HeaderReader(text)
        do {
            try read(&reader, dataStart)
        } catch {
            throw CheckpointError(
                .malformed, "\(path): bad safetensors header: \(error.message) (byte \(error.position) of the header)")
        }
        try checkLayout(dataStart, fileSize, path)
    }

    private mutating func read(_ reader: inout HeaderReader, _ dataStart: Int) throws(HeaderReader.Fault) {
        try reader.expect("{")
        if !reader.take("}") {
            var seen: Set<String> = []
            repeat {
                let key = try reader.string()
                guard seen.insert(key).inserted else { throw reader.fault("the key \"\(key)\" occurs twice") }
                try reader.expect(":")
                if key == "__metadata__" {
                    try readMetadata(&reader)
                } else {
                    tensors[key] = try Self.entry(key, &reader, dataStart)
                }
            } while reader.take(",")
            try reader.expect("}")
        }
        reader.skipSpaces()
        guard reader.isAtEnd else { throw reader.fault("text after the header object") }
    }

    private mutating func readMetadata(_ reader: inout HeaderReader) throws(HeaderReader.Fault) {
        try reader.expect("{")
        if reader.take("}") { return }
        repeat {
            let key = try reader.string()
            try reader.expect(":")
            metadata[key] = try reader.string()
        } while reader.take(",")
        try reader.expect("}")
    }

    private static func entry(
        _ key: String, _ reader: inout HeaderReader, _ dataStart: Int
    ) throws(HeaderReader.Fault) -> StoredTensor {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try reader.expect("{")
        repeat {
            let field = try reader.string()
            try reader.expect(":")
            switch field {
            case "dtype" where type == nil: type = try reader.string()
            case "shape" where shape == nil: shape = try reader.wholeNumbers(limit: 32)
            case "data_offsets" where offsets == nil: offsets = try reader.wholeNumbers(limit: 2)
            default: throw reader.fault("unexpected field \"\(field)\" in tensor \"\(key)\"")
            }
        } while reader.take(",")
        try reader.expect("}")
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw reader.fault("tensor \"\(key)\" lacks dtype, shape or data_offsets")
        }
        guard let bits = bits[type] else { throw reader.fault("tensor \"\(key)\" has the unknown type \"\(type)\"") }
        guard offsets[0] <= offsets[1] else { throw reader.fault("tensor \"\(key)\" ends before it starts") }
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            if overflow { throw reader.fault("the shape of tensor \"\(key)\" overflows") }
            count = product
        }
        let (allBits, overflow) = count.multipliedReportingOverflow(by: bits)
        guard !overflow, allBits % 8 == 0 else { throw reader.fault("the size of tensor \"\(key)\" is impossible") }
        guard allBits / 8 == offsets[1] - offsets[0] else {
            throw reader.fault(
                "tensor \"\(key)\" of shape \(shape) and type \(type) needs \(allBits / 8) bytes, its offsets give "
                    + "\(offsets[1] - offsets[0])")
        }
        let (end, past) = offsets[1].addingReportingOverflow(dataStart)
        if past { throw reader.fault("tensor \"\(key)\" lies beyond any file") }
        return StoredTensor(type: type, shape: shape, bytes: offsets[0] + dataStart..<end)
    }

    /// Tensors must fill the file without holes or overlaps: otherwise two readers could see different data.
    private func checkLayout(_ dataStart: Int, _ fileSize: Int, _ path: String) throws(CheckpointError) {
        var end = dataStart
        for (key, tensor) in tensors.sorted(by: {
            ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < (
                $1.value.bytes.lowerBound, $1.value.bytes.upperBound
            )
        }) {
            guard tensor.bytes.upperBound <= fileSize else {
                throw CheckpointError(
                    .malformed,
                    "\(path): tensor \"\(key)\" ends at byte \(tensor.bytes.upperBound) of a file of \(fileSize) bytes; "
                        + "the file is cut short: download or copy it again")
            }
            guard tensor.bytes.lowerBound == end else {
                let what =
                    tensor.bytes.lowerBound < end ? "overlaps the tensor before it" : "leaves unused bytes before it"
                throw CheckpointError(.malformed, "\(path): tensor \"\(key)\" \(what)")
            }
            end = tensor.bytes.upperBound
        }
        guard end == fileSize else {
            throw CheckpointError(.malformed, "\(path): \(fileSize - end) bytes after the last tensor belong to none")
        }
    }
}
