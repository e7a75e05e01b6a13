import JSON
import Testing

@testable import Text

struct SentencePieceTests {
    private func encode(_ builder: SentencePieceBuilder, _ text: String) throws -> [String] {
        try SentencePieceTokenizer(modelBytes: builder.bytes).encode(text).map(builder.name)
    }

    static let pairs = SentencePieceBuilder(
        [("▁a", -1), ("ab", -2), ("▁ab", -3), ("bc", -4), ("▁", -10), ("a", -11), ("b", -12), ("c", -13)], kind: 2)

    @Test func bestPairFirst() throws {
        #expect(try encode(Self.pairs, "abc") == ["▁ab", "c"])
        #expect(try encode(Self.pairs, "bcb") == ["▁", "bc", "b"])
        // Equal pairs merge from the left.
        #expect(
            try encode(SentencePieceBuilder([("aa", -1), ("a", -2), ("▁", -3)], kind: 2), "aaa") == ["▁", "aa", "a"])
    }

    @Test func whiteSpace() throws {
        var builder = Self.pairs
        #expect(try encode(builder, "  ab   c ") == ["▁ab", "▁", "c"])
        builder.removeSpaces = false
        #expect(try encode(builder, " ab  c") == ["▁", "▁ab", "▁", "▁", "c"])
        builder.prefix = false
        #expect(try encode(builder, "ab c") == ["ab", "▁", "c"])
        builder.escape = false
        #expect(try encode(builder, "ab c") == ["ab", "<unk>", "c"])
        builder = Self.pairs
        builder.suffix = true
        #expect(try encode(builder, " ab") == ["ab", "▁"])
    }

    @Test func unknownCharacters() throws {
        var builder = Self.pairs
        #expect(try encode(builder, "日本a語") == ["▁", "<unk>", "a", "<unk>"])
        builder.pieces += (0..<256).map { (UnigramTokenizer.bytePiece(UInt8($0)), 0, 6) }
        builder.byteFallback = true
        #expect(try encode(builder, "日a\n") == ["▁", "<0xE6>", "<0x97>", "<0xA5>", "a", "<0x0A>"])
        // Control and byte pieces never match text.
        #expect(try encode(builder, "<s>").first == "▁")
        #expect(try encode(builder, "<s>").count == 4)
    }

    @Test func userDefinedPiecesStandAlone() throws {
        var builder = Self.pairs
        builder.pieces += [("<b>", 0, 4), ("<b", 0, 4)]
        builder.map = CharacterMapBuilder.blob([("<", "a")])
        #expect(try encode(builder, "a<b>bc<ba<") == ["▁a", "<b>", "bc", "<b", "a", "a"])
    }

    /// A piece marked unused takes part in merges but not in the result.
    @Test func unusedPieces() throws {
        var builder = SentencePieceBuilder(
            [("ab", -1), ("abc", -2), ("▁", -9), ("a", -9), ("b", -9), ("c", -9)], kind: 2)
        builder.pieces[3].role = 5
        #expect(try encode(builder, "abc") == ["▁", "abc"])
        #expect(try encode(builder, "abb") == ["▁", "a", "b", "b"])
    }

    @Test func unigram() throws {
        var builder = SentencePieceBuilder([("▁", -1), ("a", -3), ("b", -3), ("▁ab", -4.5), ("abc", -30), ("c", -3)])
        #expect(try encode(builder, "abc") == ["▁ab", "c"])
        builder.pieces[7].role = 4
        // A user-defined piece counts as its length times the best score; an unused one never counts.
        #expect(try encode(builder, "abc") == ["▁", "abc"])
        builder.pieces[6].role = 5
        #expect(try encode(builder, "ab") == ["▁", "a", "b"])
    }

    @Test func idsOfControlPieces() throws {
        var builder = Self.pairs
        builder.start = -1
        let tokenizer = try SentencePieceTokenizer(modelBytes: builder.bytes)
        #expect(tokenizer.startToken == nil && tokenizer.endToken == 2 && tokenizer.vocabularySize == 11)
        #expect(throws: TokenizerError.self) { try PromptTokenizer.pileT5(tokenizer) }
    }

    /// The same pieces as `spiece.model` and as `tokenizer.json`.
    @Test func t5FromSentencePiece() throws {
        let list: [(String, Float)] = [("▁", -2), ("a", -3), ("b", -3), ("▁ab", -4.5), ("c", -3)]
        var builder = SentencePieceBuilder(list)
        builder.pieces = [("<pad>", 0, 3), ("</s>", 0, 3), ("<unk>", 0, 2)] + builder.pieces.dropFirst(3)
        builder.start = -1
        builder.end = 1
        builder.map = CharacterMapBuilder.blob([("A", "a"), ("\n", " ")])
        let tokenizer = try UnigramTokenizer(sentencePieceBytes: builder.bytes, sentinels: 2)
        #expect(tokenizer.vocabularySize == 10)
        #expect(tokenizer.encode("Ab\n\n a日<extra_id_0></s>b <extra_id_1>") == [6, 3, 4, 2, 9, 1, 5, 8])
        #expect(tokenizer.id(of: "</s>") == 1 && tokenizer.id(of: "<pad>") == 0)
    }

    @Test(.enabled(if: ReleasedVocabularies.gemma, ReleasedVocabularies.missing("gemma-mini/tokenizer.model")))
    func gemma() throws {
        let folder = ReleasedVocabularies.folder + "/gemma-mini"
        let tokenizer = try SentencePieceTokenizer(model: folder + "/tokenizer.model")
        let cases = try #require(JSON(parsing: FileBytes.read(folder + "/cases.json")).arrayValue)
        #expect(cases.count > 10)
        for item in cases {
            let text = try #require(item["text"]?.stringValue)
            #expect(
                tokenizer.encode(text) == item["ids"]?.arrayValue?.compactMap(\.intValue), "\(text.debugDescription)")
        }
    }
}
