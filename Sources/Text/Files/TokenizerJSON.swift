internal import JSON

/// The contents of a Hugging Face `tokenizer.json`, before a tokenizer is made of them.
struct TokenizerJSON {
    /// The vocabulary in the form of its model.
    enum Model {
        /// Scored pieces; the id of a piece is its place.
        case unigram(PieceTable, scores: [Double])
        /// Byte-pair symbols with ids, and the merges as lines of text.
        case pairs(Vocabulary, mergeLines: [UInt8])
    }

    let file: String
    private(set) var addedTokens: [AddedToken] = []
    private(set) var normalizer = JSON.null
    private(set) var preTokenizer = JSON.null
    private(set) var model = Model.unigram(PieceTable(), scores: [])
    /// The model's name: `Unigram`, `BPE`, ….
    private(set) var kind = ""
    private(set) var unknownID: Int?
    private(set) var byteFallback = false
    /// Mark of a byte-pair model behind the last symbol of a word.
    private(set) var wordEnd: String?

    private var vocabulary: Model?
    private var mergeLines: [UInt8] = []

    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        var reader = try JSONReader(bytes, file: file)
        var key = ""
        try reader.beginObject()
        while try reader.nextKey(&key) {
            switch key {
            case "added_tokens": addedTokens = try AddedToken.list(reader.value(), file: file)
            case "normalizer": normalizer = try reader.value()
            case "pre_tokenizer": preTokenizer = try reader.value()
            case "model": try readModel(&reader, capacity: bytes.count / 40)
            default: try reader.skip()
            }
        }
        try reader.end()
        guard let vocabulary else {
            throw TokenizerError(.malformed, file: file, "has no model with a vocabulary")
        }
        switch vocabulary {
        case .unigram: model = vocabulary
        case .pairs(let pieces, _): model = .pairs(pieces, mergeLines: mergeLines)
        }
        if kind.isEmpty {
            // Files of the first versions name no type.
            kind = if case .unigram = model { "Unigram" } else { "BPE" }
        }
    }

    private mutating func readModel(_ reader: inout JSONReader, capacity: Int) throws(TokenizerError) {
        var key = ""
        try reader.beginObject()
        while try reader.nextKey(&key) {
            switch key {
            case "type": kind = try reader.string()
            case "unk_id": unknownID = try reader.value().intValue
            case "byte_fallback": byteFallback = try reader.value().boolValue ?? false
            case "end_of_word_suffix": wordEnd = try reader.value().stringValue
            case "merges": try readMerges(&reader)
            case "vocab":
                if try reader.peek() == UInt8(ascii: "{") {
                    vocabulary = .pairs(try Vocabulary(&reader, capacity: capacity), mergeLines: [])
                } else {
                    vocabulary = try Self.readScored(&reader, capacity: capacity)
                }
            default: try reader.skip()
            }
        }
    }

    /// An array of `[piece, score]`.
    private static func readScored(_ reader: inout JSONReader, capacity: Int) throws(TokenizerError) -> Model {
        var pieces = PieceTable(capacity: capacity)
        var scores: [Double] = []
        var piece: [UInt8] = []
        try reader.beginArray()
        while try reader.nextElement() {
            try reader.beginArray()
            guard try reader.nextElement() else { throw reader.fault("expected a piece and a score") }
            try reader.string(into: &piece)
            guard try reader.nextElement() else { throw reader.fault("expected a score") }
            scores.append(try reader.number())
            guard try !reader.nextElement() else { throw reader.fault("expected a piece and a score only") }
            guard piece.count <= PieceTable.maximumLength else {
                throw reader.fault("a piece of \(piece.count) bytes; at most \(PieceTable.maximumLength) are accepted")
            }
            guard pieces.insert(piece.span) != nil else {
                throw reader.fault("the piece \"\(String(decoding: piece.prefix(80), as: UTF8.self))\" appears twice")
            }
        }
        return .unigram(pieces, scores: scores)
    }

    /// An array of `"LEFT RIGHT"` or of `["LEFT", "RIGHT"]`.
    private mutating func readMerges(_ reader: inout JSONReader) throws(TokenizerError) {
        var symbol: [UInt8] = []
        try reader.beginArray()
        while try reader.nextElement() {
            if try reader.peek() == UInt8(ascii: "[") {
                try reader.beginArray()
                var isFirst = true
                while try reader.nextElement() {
                    try reader.string(into: &symbol)
                    if !isFirst { mergeLines.append(0x20) }
                    isFirst = false
                    mergeLines += symbol
                }
            } else {
                try reader.string(into: &symbol)
                mergeLines += symbol
            }
            mergeLines.append(0x0A)
        }
    }
}
