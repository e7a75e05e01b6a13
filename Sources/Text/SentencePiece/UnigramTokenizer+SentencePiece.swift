extension UnigramTokenizer {
    /// Loads T5's `spiece.model`, with the ids that its `tokenizer.json` gives.
    ///
    /// The file holds only the pieces: the special tokens, and the rules Hugging Face uses for T5 in place of
    /// SentencePiece's own, are added here.
    ///
    /// - Parameter sentinels: how many tokens `<extra_id_0>`, `<extra_id_1>`, … follow the pieces, the last one first.
    public init(sentencePiece path: String, sentinels: Int = 100) throws(TokenizerError) {
        try self.init(sentencePieceBytes: FileBytes.read(path), file: path, sentinels: sentinels)
    }

    /// The same from memory; the name appears in errors.
    public init(
        sentencePieceBytes: [UInt8], file: String = "spiece.model", sentinels: Int = 100
    ) throws(TokenizerError) {
        let contents = try SentencePieceModel(sentencePieceBytes, file: file)
        guard contents.kind == .unigram else {
            throw TokenizerError(.wrongKind, file: file, "holds a byte-pair model; T5 needs a unigram model")
        }
        var pieces = PieceTable(capacity: contents.pieces.count + sentinels)
        var added: [AddedToken] = []
        for (id, piece) in contents.pieces.enumerated() {
            guard pieces.insert(piece.text.span) != nil else {
                throw SentencePieceTokenizer.duplicate(piece, file)
            }
            if piece.role != .normal && piece.role != .unused && piece.role != .byte {
                added.append(
                    AddedToken(id: id, content: Array(String(decoding: piece.text, as: UTF8.self).unicodeScalars)))
            }
        }
        var scores = contents.pieces.map { JSONReader.rereading(Double($0.score)) }
        for number in (0..<max(0, sentinels)).reversed() {
            let name = "<extra_id_\(number)>"
            added.append(AddedToken(id: pieces.count, content: Array(name.unicodeScalars)))
            if pieces.insert(Array(name.utf8).span) != nil { scores.append(0) }
        }
        self.init(
            model: UnigramModel(pieces: pieces, scores: scores, unknownID: contents.unknownID, arithmetic: .double),
            added: added,
            normalization: [
                .characterMap(try CharacterMap(contents.characterMap, file: file)), .strip(left: false, right: true),
                .replace(pattern: [" "], minimum: 2, isRun: true, content: ["▁"]),
            ],
            words: WordSplitter(firstWordMark: "▁"))
    }
}
