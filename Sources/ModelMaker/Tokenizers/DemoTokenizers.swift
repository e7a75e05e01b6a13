internal import Glibc
internal import JSON

/// Small vocabularies in the formats of the released ones, learned from a text of our own.
///
/// The released vocabularies belong to others and cannot be shipped; the demonstration needs some. English prompts give
/// words and word parts, everything else single bytes or characters. The result is always the same.
public struct DemoTokenizers: Sendable {
    /// CLIP's format: `vocab.json` and `merges.txt`.
    public let clipVocabulary: String
    public let clipMerges: String
    /// Entries of the CLIP vocabulary; start and end are the last two.
    public let clipSize: Int
    /// T5's format: `tokenizer.json`.
    public let t5: String
    /// Entries of the T5 vocabulary with the 100 sentinels; padding 0, end 1, unknown 2.
    public let t5Size: Int

    /// Learns both vocabularies; takes about a tenth of a second.
    ///
    /// - Parameter merges: how many word parts each vocabulary gets at most.
    public init(merges: Int = 800) {
        let words = DemoText.words()
        (clipVocabulary, clipMerges, clipSize) = Self.clip(words.map { $0.word.lowercased() }, merges)
        (t5, t5Size) = Self.unigram(words, merges)
    }

    /// Writes `clip/vocab.json`, `clip/merges.txt` and `t5/tokenizer.json` into a folder, which is created.
    public func write(to folder: String) throws(ManifestError) {
        for (path, text) in [
            ("/clip/vocab.json", clipVocabulary), ("/clip/merges.txt", clipMerges), ("/t5/tokenizer.json", t5),
        ] {
            try Folder.create(Folder.parent(of: folder + path))
            let file = try OutputFile(folder + path)
            try file.write(Array(text.utf8), at: 0)
            try file.finish()
        }
    }

    // MARK: CLIP

    private static func clip(_ words: [String], _ limit: Int) -> (vocabulary: String, merges: String, size: Int) {
        let bytes = byteSymbols()
        let trainer = PairTrainer(
            words.map { word in
                var symbols = word.utf8.map { String(bytes[Int($0)]) }
                if let last = symbols.popLast() { symbols.append(last + "</w>") }
                return symbols
            }, limit: limit)
        // In the order of the code points, as in the released file.
        let base = bytes.sorted().map { String($0) }
        let entries =
            base + base.map { $0 + "</w>" } + trainer.merges.map { $0.left + $0.right }
            + ["<|startoftext|>", "<|endoftext|>"]
        let members = entries.enumerated().map { "\(JSON.string($0.element).text()): \($0.offset)" }
        let lines = trainer.merges.map { "\($0.left) \($0.right)\n" }
        return ("{\n\(members.joined(separator: ",\n"))\n}\n", "#version: 0.2\n" + lines.joined(), entries.count)
    }

    /// GPT-2's printable stand-ins for the 256 bytes.
    private static func byteSymbols() -> [Unicode.Scalar] {
        var next: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? "?"
            }
        }
    }

    // MARK: T5

    private static func unigram(
        _ words: [(word: String, followsSpace: Bool)], _ limit: Int
    ) -> (json: String, size: Int) {
        let trainer = PairTrainer(
            words.map { ($0.followsSpace ? ["▁"] : []) + $0.word.map { String($0) } }, limit: limit)
        var counts: [String: Int] = [:]
        for word in trainer.words {
            for symbol in word.symbols { counts[trainer.symbols[symbol], default: 0] += word.count }
        }
        // Parts that were used up by longer ones stay as a way to spell new words, and so does every character of
        // ASCII and Latin-1.
        var pieces = Set(trainer.symbols)
        for code in Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF) as [UInt32] {
            if let scalar = Unicode.Scalar(code) { pieces.insert(String(scalar)) }
        }
        pieces.formUnion(["▁", "–", "—", "‘", "’", "“", "”", "…"])
        let total = Double(counts.values.reduce(0, +) + pieces.count)
        /// Ten thousandths, so that the last digits of `log` do not matter.
        func score(_ piece: String) -> Int { Int((log((Double(counts[piece] ?? 0) + 0.5) / total) * 10000).rounded()) }
        let sorted = pieces.map { (piece: $0, score: score($0)) }.sorted {
            $0.score != $1.score ? $0.score > $1.score : PairTrainer.comesFirst($0.piece, $1.piece)
        }
        let special = ["<pad>", "</s>", "<unk>"]
        let sentinels = (0..<100).reversed().map { "<extra_id_\($0)>" }
        let vocabulary =
            special.map { "[\(JSON.string($0).text()), 0.0]" }
            + sorted.map { "[\(JSON.string($0.piece).text()), \(decimal($0.score))]" }
            + sentinels.map { "[\(JSON.string($0).text()), 0.0]" }
        let first = special.count + sorted.count
        let added =
            (special.enumerated().map { ($0.offset, $0.element) }
            + sentinels.enumerated().map { (first + $0.offset, $0.element) }).map { id, text in
                """
                {"id": \(id), "content": \(JSON.string(text).text()), "single_word": false, "lstrip": false, \
                "rstrip": false, "normalized": false, "special": true}
                """
            }
        return (json(added, vocabulary), vocabulary.count)
    }

    /// −12345 → "-1.2345".
    private static func decimal(_ score: Int) -> String {
        let digits = String(abs(score) % 10000)
        return
            "\(score < 0 ? "-" : "")\(abs(score) / 10000).\(String(repeating: "0", count: 4 - digits.count))\(digits)"
    }

    private static func json(_ added: [String], _ vocabulary: [String]) -> String {
        """
        {
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
        \(added.joined(separator: ",\n"))
        ],
        "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "NFC"},
        {"type": "Replace", "pattern": {"String": "\\t"}, "content": " "},
        {"type": "Replace", "pattern": {"String": "\\r"}, "content": " "},
        {"type": "Replace", "pattern": {"String": "\\n"}, "content": " "},
        {"type": "Strip", "strip_left": false, "strip_right": true},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
        "post_processor": {"type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
        {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [
        \(vocabulary.joined(separator: ",\n"))
        ]}
        }

        """
    }
}
