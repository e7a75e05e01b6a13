import Testing

@testable import Text

struct UnigramTokenizerTests {
    static let json = UnigramJSON([
        ("▁", -2), ("a", -3), ("b", -3), ("c", -3), ("ab", -4), ("abc", -8), ("▁a", -6), ("▁ab", -4.5), ("x▁", -1),
        ("é", -4),
    ])

    @Test(arguments: [
        ("", []),
        ("ab", ["▁ab"]),
        // ▁ab + c = −7.5 beats ▁ + abc = −10.
        ("abc", ["▁ab", "c"]),
        // Words are cut first, so no piece reaches across a space.
        ("x ab", ["▁", "<unk>", "▁ab"]),
        ("a b", ["▁", "a", "▁", "b"]),
        // Neighbouring unknown characters are one token; others are not.
        ("日本a語", ["▁", "<unk>", "a", "<unk>"]),
        ("日 本", ["▁", "<unk>", "▁", "<unk>"]),
        // Special tokens are found anywhere; only the beginning of the text gets a mark.
        ("ab</s>ab", ["▁ab", "</s>", "ab"]),
        ("</s>ab", ["</s>", "ab"]),
        ("</s> ab<pad>", ["</s>", "▁ab", "<pad>"]),
    ])
    func encodes(text: String, expected: [String]) throws {
        #expect(try Self.json.encode(text) == expected)
    }

    @Test func wordMarks() throws {
        var json = Self.json
        json.preTokenizer = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}"#
        #expect(try json.encode("</s>ab") == ["</s>", "▁ab"])
        json.preTokenizer = #"{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}"#
        #expect(try json.encode("</s>ab") == ["</s>", "▁ab"])
        json.preTokenizer = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}"#
        #expect(try json.encode("ab") == ["ab"])
        json.preTokenizer = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": false}"#
        #expect(try json.encode("x ab") == ["x▁", "ab"])
        json.preTokenizer = """
            {"type": "Sequence", "pretokenizers":
             [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}]}
            """
        #expect(try json.encode("  ab \t ab ") == ["▁ab", "▁ab"])
    }

    @Test func normalizers() throws {
        let map = Encode64.text(
            CharacterMapBuilder.blob([("A", "a"), ("e\u{301}", "é"), ("\n", " "), ("\u{7}", ""), ("ﬀ", "ab")]))
        var json = Self.json
        json.normalizer = """
            {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "\(map)"},
             {"type": "Strip", "strip_left": false, "strip_right": true},
             {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]}
            """
        #expect(try json.encode("Ab") == ["▁ab"])
        #expect(try json.encode("e\u{301}") == ["▁", "é"])
        // A character of fewer than six bytes is replaced as a whole, accents included.
        #expect(try json.encode("A\u{301}b") == ["▁ab"])
        #expect(try json.encode("ﬀ\u{7}c") == ["▁ab", "c"])
        #expect(try json.encode("  ab   ab\n\n") == ["▁ab", "▁ab"])
        #expect(try json.encode("   ") == [])
    }

    @Test func otherNormalizers() throws {
        var json = Self.json
        json.normalizer = #"{"type": "Lowercase"}"#
        #expect(try json.encode("AB") == ["▁ab"])
        json.normalizer = #"{"type": "NFC"}"#
        #expect(try json.encode("e\u{301}") == ["▁", "é"])
        json.normalizer = #"{"type": "NFD"}"#
        #expect(try json.encode("é") == ["▁", "<unk>"])
        json.normalizer = #"{"type": "Prepend", "prepend": "a"}"#
        #expect(try json.encode("b") == ["▁ab"])
        json.normalizer = #"{"type": "Replace", "pattern": {"String": "xx"}, "content": "ab"}"#
        #expect(try json.encode("xxc") == ["▁ab", "c"])
        json.normalizer = #"{"type": "Strip"}"#
        #expect(try json.encode("  ab ") == ["▁ab"])
    }

    @Test func byteFallback() throws {
        var json = Self.json
        json.pieces += (0..<256).map { (UnigramTokenizer.bytePiece(UInt8($0)), -20) }
        json.byteFallback = true
        #expect(try json.encode("日a") == ["▁", "<0xE6>", "<0x97>", "<0xA5>", "a"])
    }

    @Test func addedTokenOptions() throws {
        var json = Self.json
        json.added = """
            {"id": 90, "content": "ab", "single_word": true}, {"id": 91, "content": "<m>", "lstrip": true},
            {"id": 92, "content": "<n>", "rstrip": true}, {"id": 93, "content": "<nn>"},
            {"id": 94, "content": "AC", "normalized": true}
            """
        json.normalizer = #"{"type": "Lowercase"}"#
        #expect(try json.encode("ab") == ["?90"])
        #expect(try json.encode("aab") == ["▁", "a", "ab"])
        #expect(try json.encode("a  <m> b") == ["▁", "a", "?91", "▁", "b"])
        #expect(try json.encode("a <n>  b") == ["▁", "a", "▁", "?92", "b"])
        #expect(try json.encode("<nn>") == ["?93"])
        #expect(try json.encode("Ac") == ["?94"])
        #expect(try json.tokenizer().vocabularySize == 95)
    }

    @Test func layout() throws {
        let tokenizer = try Self.json.tokenizer()
        let prompt = try PromptTokenizer.t5(tokenizer, minimumLength: 4)
        let chunk = try prompt.encode("(ab:2)").chunks[0]
        #expect(chunk.weights == [2, 1, 1, 1])
        #expect(prompt.layout.end == 1 && prompt.layout.padding == 0)
    }

    /// One word of 200,000 characters.
    @Test func longWords() throws {
        #expect(try Self.json.tokenizer().encode(String(repeating: "ab", count: 100_000)).count == 100_000)
    }
}
