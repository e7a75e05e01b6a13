import Foundation
import Testing
import Text

@testable import ModelMaker

struct DemoTokenizersTests {
    static let demo = DemoTokenizers()

    @Test func areAlwaysTheSame() {
        let other = DemoTokenizers()
        #expect(other.clipVocabulary == Self.demo.clipVocabulary && other.clipMerges == Self.demo.clipMerges)
        #expect(other.t5 == Self.demo.t5)
    }

    @Test func clipLoads() throws {
        let tokenizer = try CLIPTokenizer(
            vocabulary: Array(Self.demo.clipVocabulary.utf8), merges: Array(Self.demo.clipMerges.utf8))
        #expect(tokenizer.vocabularySize == Self.demo.clipSize)
        #expect(tokenizer.startToken == Self.demo.clipSize - 2 && tokenizer.endToken == Self.demo.clipSize - 1)
        // Frequent words are one token each; anything else is spelled.
        #expect(tokenizer.encode("a photo of a cat, in the light").count == 9)
        #expect(tokenizer.encode("zyzzyva 猫").count == 10)
        let prompt = try PromptTokenizer.clipL(tokenizer).encode("a (red:1.2) fox")
        #expect(prompt.chunks.count == 1 && prompt.chunks[0].count == 77)
        #expect(prompt.chunks[0].weights.filter { $0 == 1.2 }.count == 1)
    }

    @Test func t5Loads() throws {
        let tokenizer = try UnigramTokenizer(jsonBytes: Array(Self.demo.t5.utf8))
        #expect(tokenizer.vocabularySize == Self.demo.t5Size)
        #expect(tokenizer.id(of: "<pad>") == 0 && tokenizer.id(of: "</s>") == 1 && tokenizer.id(of: "<unk>") == 2)
        #expect(tokenizer.id(of: "<extra_id_0>") == Self.demo.t5Size - 1)
        #expect(tokenizer.encode("a photo of a cat, in the light").count == 9)
        #expect(tokenizer.encode("photo \t\n photo").count == 2)
        #expect(tokenizer.encode("猫</s>") == [tokenizer.id(of: "▁"), 2, 1])
        // Every character of ASCII and Latin-1 has a piece.
        let all = String(
            String.UnicodeScalarView(
                (0x21...0xFF).filter { !(0x7F...0xA0).contains($0) && $0 != 0xAD }
                    .compactMap { Unicode.Scalar($0) }))
        #expect(!tokenizer.encode(all).contains(2))
        #expect(try PromptTokenizer.t5(tokenizer).encode("a fox").chunks[0].count == 256)
    }

    @Test func areFoundWhereTheyAreWritten() throws {
        let scratch = try Scratch()
        try Self.demo.write(to: scratch.path + "/models/tokenizers")
        let locator = TokenizerLocator(modelFolders: [scratch.path + "/models"])
        #expect(try locator.clip(checkpoint: nil).vocabularySize == Self.demo.clipSize)
        #expect(try locator.t5(checkpoint: nil).vocabularySize == Self.demo.t5Size)
        if let out = ProcessInfo.processInfo.environment["DEMO_OUT"] { try Self.demo.write(to: out) }
    }
}
