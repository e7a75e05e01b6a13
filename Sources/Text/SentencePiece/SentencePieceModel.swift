/// The contents of a SentencePiece `.model` file.
///
/// Field numbers from SentencePiece's `sentencepiece_model.proto`.
struct SentencePieceModel: Sendable {
    enum Kind: Sendable { case unigram, pairs }

    /// What a piece is for.
    enum Role: UInt64, Sendable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    struct Piece: Sendable {
        var text: [UInt8] = []
        var score: Float = 0
        var role = Role.normal
    }

    let file: String
    private(set) var pieces: [Piece] = []
    private(set) var kind = Kind.unigram
    private(set) var byteFallback = false
    private(set) var marksSpaceBehind = false
    /// Ids of the control pieces; nil where the model says it has none.
    private(set) var unknownID = 0
    private(set) var startID: Int? = 1
    private(set) var endID: Int? = 2
    private(set) var characterMap: [UInt8] = []
    private(set) var addsPrefix = true
    private(set) var removesExtraSpaces = true
    private(set) var escapesSpaces = true

    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        var reader = ProtobufReader(bytes[...], file: file)
        while let (field, value) = try reader.next() {
            guard case .bytes(let message) = value else { continue }
            switch field {
            case 1: pieces.append(try piece(message))
            case 2: try readTraining(message)
            case 3: try readNormalization(message)
            default: break
            }
        }
        guard !pieces.isEmpty else {
            throw TokenizerError(.malformed, file: file, "is no SentencePiece model: it holds no pieces")
        }
        guard pieces.count < 1 << 24 else {
            throw TokenizerError(
                .malformed, file: file, "holds \(pieces.count) pieces; at most \(1 << 24) are accepted")
        }
        guard let unknown = pieces.firstIndex(where: { $0.role == .unknown }) else {
            throw TokenizerError(.malformed, file: file, "has no piece for unknown characters")
        }
        unknownID = unknown
        for (name, id) in [("start", startID), ("end", endID)] {
            guard let id, !pieces.indices.contains(id) else { continue }
            throw TokenizerError(.malformed, file: file, "the \(name) piece is \(id) of \(pieces.count)")
        }
    }

    private func piece(_ message: ArraySlice<UInt8>) throws(TokenizerError) -> Piece {
        var piece = Piece()
        var reader = ProtobufReader(message, file: file)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): piece.text = Array(text)
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .number(let number)):
                guard let role = Role(rawValue: number) else { throw reader.fault("a piece has the type \(number)") }
                piece.role = role
            default: break
            }
        }
        let number = pieces.count
        guard !piece.text.isEmpty, String(validating: piece.text, as: UTF8.self) != nil else {
            throw reader.fault("piece \(number) is empty or no UTF-8")
        }
        guard piece.text.count <= PieceTable.maximumLength else {
            throw reader.fault("piece \(number) has \(piece.text.count) bytes")
        }
        guard piece.score.isFinite else { throw reader.fault("piece \(number) has the score \(piece.score)") }
        return piece
    }

    private mutating func readTraining(_ message: ArraySlice<UInt8>) throws(TokenizerError) {
        var reader = ProtobufReader(message, file: file)
        while let (field, value) = try reader.next() {
            guard case .number(let number) = value else { continue }
            // Ids are int32; −1, for "none", is sent as 2⁶⁴ − 1.
            let id = Int(Int32(truncatingIfNeeded: number))
            switch field {
            case 3:
                switch number {
                case 1: kind = .unigram
                case 2: kind = .pairs
                default:
                    throw TokenizerError(
                        .unsupported, file: file, "model type \(number); unigram (1) and BPE (2) are implemented")
                }
            case 24: marksSpaceBehind = number != 0
            case 35: byteFallback = number != 0
            case 41: startID = id < 0 ? nil : id
            case 42: endID = id < 0 ? nil : id
            default: break
            }
        }
    }

    private mutating func readNormalization(_ message: ArraySlice<UInt8>) throws(TokenizerError) {
        var reader = ProtobufReader(message, file: file)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (2, .bytes(let blob)): characterMap = Array(blob)
            case (3, .number(let number)): addsPrefix = number != 0
            case (4, .number(let number)): removesExtraSpaces = number != 0
            case (5, .number(let number)): escapesSpaces = number != 0
            default: break
            }
        }
    }

    /// Ids of the pieces `<0x00>` … `<0xFF>`.
    func byteIDs() throws(TokenizerError) -> [Int] {
        var ids = [Int](repeating: -1, count: 256)
        for (id, piece) in pieces.enumerated() where piece.role == .byte {
            let name = String(decoding: piece.text, as: UTF8.self)
            guard name.utf8.count == 6, name.hasPrefix("<0x"), name.hasSuffix(">"),
                let byte = UInt8(name.dropFirst(3).dropLast(), radix: 16)
            else { throw TokenizerError(.malformed, file: file, "byte piece \(id) is called \"\(name)\"") }
            ids[Int(byte)] = id
        }
        if let missing = ids.firstIndex(of: -1) {
            throw TokenizerError(
                .malformed, file: file,
                "byte fallback is on but the piece \(UnigramTokenizer.bytePiece(UInt8(missing))) is missing")
        }
        return ids
    }
}
