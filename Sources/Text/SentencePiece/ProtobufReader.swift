/// Reads the fields of one Protocol Buffers message (the wire format; no schema).
struct ProtobufReader {
    /// A field's payload.
    enum Value {
        case number(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    let file: String
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>, file: String) {
        self.file = file
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field, or nil at the end.
    mutating func next() throws(TokenizerError) -> (field: Int, value: Value)? {
        guard position < bytes.endIndex else { return nil }
        let tag = try number()
        let field = Int(truncatingIfNeeded: tag >> 3)
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw fault("a field has the number \(tag >> 3)") }
        switch tag & 7 {
        case 0: return (field, .number(try number()))
        case 1:
            let raw = try take(8)
            return (field, .fixed64(raw.reversed().reduce(0) { $0 << 8 | UInt64($1) }))
        case 2:
            let count = try number()
            guard let size = Int(exactly: count) else { throw fault("a field claims \(count) bytes") }
            return (field, .bytes(try take(size)))
        case 5:
            let raw = try take(4)
            return (field, .fixed32(raw.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
        default: throw fault("a field has the unknown wire type \(tag & 7)")
        }
    }

    private mutating func number() throws(TokenizerError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.endIndex else { throw fault("the message ends inside a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw fault("a number has more than ten bytes")
    }

    private mutating func take(_ count: Int) throws(TokenizerError) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else {
            throw fault("a field claims \(count) bytes, \(bytes.endIndex - position) are left")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    func fault(_ message: String) -> TokenizerError {
        TokenizerError(.malformed, file: file, "is no SentencePiece model: \(message) (byte \(position))")
    }
}
