import Testing

@testable import Text

/// Any text has tokens, and their ids are in range.
struct RandomTextTests {
    static func text(_ random: inout SplitMix) -> String {
        let bits = [
            "(", ")", ":1.2)", "\\(", "embedding:", " embedding:x,", "</s>", "<|endoftext|>", "'s", " ", "\n", "▁",
            "\u{301}",
            "\u{200D}", "\u{FE0F}", "the", "ab",
        ]
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x24F, 0x300...0x5FF, 0x900...0xE7F, 0x1100...0x11FF, 0x2000...0x206F, 0x3000...0x9FFF,
            0xAC00...0xD7A3, 0xE000...0xFFFF, 0x10000...0x10FFFF,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<40, using: &random) {
            if Bool.random(using: &random), let bit = bits.randomElement(using: &random) {
                text.append(contentsOf: bit.unicodeScalars)
            } else if let range = ranges.randomElement(using: &random),
                let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random))
            {
                text.append(scalar)
            }
        }
        return String(text)
    }

    private func check(_ prompts: PromptTokenizer, count: Int, seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let size = prompts.tokenizer.vocabularySize
        for _ in 0..<count {
            let text = Self.text(&random)
            let result = try prompts.encode(text, embeddings: LetterEmbeddings())
            #expect(!result.chunks.isEmpty)
            for chunk in result.chunks {
                #expect(chunk.tokens.count == chunk.weights.count)
                if let length = prompts.layout.chunkLength { #expect(chunk.count == length) }
                #expect(chunk.count >= prompts.layout.minimumLength)
                for case .id(let id) in chunk.tokens { #expect((0..<size).contains(id), "\(text.debugDescription)") }
            }
        }
    }

    @Test func tinyVocabularies() throws {
        try check(.clipL(TinyCLIP.tokenizer()), count: 2000, seed: 1)
        try check(.t5(UnigramTokenizerTests.json.tokenizer()), count: 2000, seed: 2)
        try check(.pileT5(SentencePieceTokenizer(modelBytes: SentencePieceTests.pairs.bytes)), count: 2000, seed: 3)
    }

    @Test(.enabled(if: ReleasedVocabularies.clip, ReleasedVocabularies.missing("clip/vocab.json and clip/merges.txt")))
    func clip() throws { try check(.clipG(ReleasedVocabularies.clipTokenizer()), count: 2000, seed: 4) }

    @Test(.enabled(if: ReleasedVocabularies.t5, ReleasedVocabularies.missing("t5/tokenizer.json")))
    func t5() throws { try check(.t5(ReleasedVocabularies.t5Tokenizer()), count: 2000, seed: 5) }

    @Test(.enabled(if: ReleasedVocabularies.pileT5, ReleasedVocabularies.missing("pile-t5/tokenizer.model")))
    func pileT5() throws { try check(.pileT5(ReleasedVocabularies.pileTokenizer()), count: 2000, seed: 6) }
}
