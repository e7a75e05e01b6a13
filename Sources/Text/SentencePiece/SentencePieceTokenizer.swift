/// A SentencePiece tokenizer (Kudo & Richardson 2018): Pile-T5, LLaMA and Gemma, from their `tokenizer.model`.
///
/// Both model types, with byte fallback, user-defined pieces and every normalisation setting of the file. For T5 see
/// ``UnigramTokenizer/init(sentencePiece:sentinels:)``.
public struct SentencePieceTokenizer: Tokenizer {
    /// SentencePiece's visible space, U+2581.
    static let mark = Array("▁".utf8)

    public let vocabularySize: Int
    /// Id of the piece that begins a text, if the model has one; `encode` does not add it.
    public let startToken: Int?
    /// Id of the piece that ends a text, if the model has one; `encode` does not add it.
    public let endToken: Int?

    /// Whether the model is byte-pair encoding; otherwise it is unigram.
    public var isPairEncoding: Bool { if case .pairs = model { true } else { false } }

    private enum Model: Sendable {
        case unigram(UnigramModel)
        case pairs(SentencePiecePairs)
    }

    private let model: Model
    private let map: CharacterMap
    private let userDefined: PieceTable
    private let addsPrefix: Bool
    private let removesExtraSpaces: Bool
    private let escapesSpaces: Bool
    private let marksSpaceBehind: Bool

    /// Loads a `.model` file.
    public init(model path: String) throws(TokenizerError) {
        try self.init(modelBytes: FileBytes.read(path), file: path)
    }

    /// The same from memory, as some checkpoints carry it; the name appears in errors.
    public init(modelBytes: [UInt8], file: String = "tokenizer.model") throws(TokenizerError) {
        let contents = try SentencePieceModel(modelBytes, file: file)
        vocabularySize = contents.pieces.count
        startToken = contents.startID
        endToken = contents.endID
        map = try CharacterMap(contents.characterMap, file: file)
        addsPrefix = contents.addsPrefix
        removesExtraSpaces = contents.removesExtraSpaces
        escapesSpaces = contents.escapesSpaces
        marksSpaceBehind = contents.marksSpaceBehind
        let byteIDs = contents.byteFallback ? try contents.byteIDs() : nil

        var special = PieceTable()
        for piece in contents.pieces where piece.role == .userDefined { _ = special.insert(piece.text.span) }
        userDefined = special
        model =
            switch contents.kind {
            case .unigram: .unigram(try Self.unigram(contents, byteIDs))
            case .pairs: .pairs(try SentencePiecePairs(contents, byteIDs: byteIDs))
            }
    }

    private static func unigram(_ contents: SentencePieceModel, _ byteIDs: [Int]?) throws(TokenizerError)
        -> UnigramModel
    {
        let normal = contents.pieces.filter { $0.role == .normal }.map(\.score)
        let best = normal.max() ?? 0
        var table = PieceTable(capacity: contents.pieces.count)
        var scores: [Double] = []
        var ids: [Int32] = []
        for (id, piece) in contents.pieces.enumerated() where piece.role == .normal || piece.role == .userDefined {
            guard table.insert(piece.text.span) != nil else { throw duplicate(piece, contents.file) }
            ids.append(Int32(id))
            // A user-defined piece is scored like a row of the best pieces, one per byte.
            scores.append(
                piece.role == .userDefined
                    ? Double(piece.text.count) * Double(best) - 0.1 : Double(piece.score))
        }
        return UnigramModel(
            pieces: table, scores: scores, ids: ids, lowestScore: Double(normal.min() ?? 0),
            unknownID: contents.unknownID, byteIDs: byteIDs, arithmetic: .single)
    }

    static func duplicate(_ piece: SentencePieceModel.Piece, _ file: String) -> TokenizerError {
        let text = String(decoding: piece.text.prefix(80), as: UTF8.self)
        return TokenizerError(.malformed, file: file, "the piece \"\(text)\" appears twice")
    }

    public func encode(_ text: String) -> [Int] {
        let normalized = normalize(Array(text.utf8))
        var ids: [Int] = []
        switch model {
        case .unigram(let model): model.encode(normalized, into: &ids)
        case .pairs(let pairs): pairs.encode(normalized, userDefined: userDefined, into: &ids)
        }
        return ids
    }

    /// Character map, white space rules and word marks.
    func normalize(_ text: [UInt8]) -> [UInt8] {
        let bytes = text.span
        let space: [UInt8] = escapesSpaces ? Self.mark : [0x20]
        var result: [UInt8] = []
        var position = 0
        if removesExtraSpaces {
            while position < bytes.count, case let step = next(bytes, position), step.text.elementsEqual([0x20]) {
                position += step.length
            }
        }
        guard position < bytes.count else { return [] }
        if addsPrefix && !marksSpaceBehind { result += space }
        var dropsSpace = removesExtraSpaces
        while position < bytes.count {
            let step = next(bytes, position)
            var piece = step.text
            position += step.length
            if dropsSpace { piece = piece.drop { $0 == 0x20 } }
            for byte in piece { if byte == 0x20 { result += space } else { result.append(byte) } }
            if let last = piece.last { dropsSpace = removesExtraSpaces && last == 0x20 }
        }
        if removesExtraSpaces {
            while result.suffix(space.count).elementsEqual(space) { result.removeLast(space.count) }
        }
        if addsPrefix && marksSpaceBehind { result += space }
        return result
    }

    /// What the text at a position becomes: a user-defined piece stays as it is, then the longest rule of the map.
    private func next(_ bytes: Span<UInt8>, _ position: Int) -> (text: ArraySlice<UInt8>, length: Int) {
        let rest = bytes.extracting(position..<bytes.count)
        if let length = userDefined.longestPrefix(of: rest) { return (Self.copy(rest, length), length) }
        if let match = map.longestMatch(rest) { return (match.replacement, match.length) }
        let length = min(UnigramModel.length(of: bytes[position]), rest.count)
        return (Self.copy(rest, length), length)
    }

    private static func copy(_ bytes: Span<UInt8>, _ count: Int) -> ArraySlice<UInt8> {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in 0..<count { copy.append(bytes[index]) }
        return copy[...]
    }
}

extension PieceTable {
    /// Length of the longest piece that a text begins with.
    func longestPrefix(of text: Span<UInt8>) -> Int? {
        var best: Int?
        var hash = Self.emptyHash
        for length in 0..<min(longest, text.count) {
            hash = Self.extend(hash, by: text[length])
            if index(of: text.extracting(0..<length + 1), hash: hash) != nil { best = length + 1 }
        }
        return best
    }
}
