import Testing

@testable import Text

/// A vocabulary of bytes and a few merges.
enum TinyCLIP {
    static let merges = ["t h", "th e</w>", "c a", "ca t</w>", "a t</w>", "' s</w>", "th a"]

    static func symbols() -> [String] {
        let bytes = (0...255).map { String(ByteSymbols.scalar(for: UInt8($0))) }
        return bytes + bytes.map { $0 + "</w>" } + merges.map { $0.split(separator: " ").joined() }
            + ["<|startoftext|>", "<|endoftext|>"]
    }

    static func vocabulary() -> [UInt8] {
        let entries = symbols().enumerated().map { index, symbol in
            let text = symbol.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "\"\(text)\": \(index)"
        }
        return Array("{\(entries.joined(separator: ", "))}".utf8)
    }

    static func mergeLines() -> [UInt8] { Array(("#version: 0.2\n" + merges.joined(separator: "\n") + "\n").utf8) }

    static func tokenizer() throws -> CLIPTokenizer {
        try CLIPTokenizer(vocabulary: vocabulary(), merges: mergeLines())
    }

    static func pieces(_ text: String) throws -> [String] {
        let symbols = symbols()
        return try tokenizer().encode(text).map { symbols[$0] }
    }
}

struct CLIPTokenizerTests {
    @Test func byteSymbolsAreGPT2s() {
        #expect(ByteSymbols.scalar(for: 0x21) == "!")
        #expect(ByteSymbols.scalar(for: 0x20) == "Ġ")
        #expect(ByteSymbols.scalar(for: 0x00) == "Ā")
        #expect(ByteSymbols.scalar(for: 0x7F) == "ġ")
        #expect(ByteSymbols.scalar(for: 0xA0) == "ł")
        #expect(ByteSymbols.scalar(for: 0xAD) == "Ń")
        #expect(Set((0...255).map { ByteSymbols.scalar(for: UInt8($0)) }).count == 256)
    }

    @Test func idsComeFromTheVocabulary() throws {
        let tokenizer = try TinyCLIP.tokenizer()
        #expect(tokenizer.startToken == 519)
        #expect(tokenizer.endToken == 520)
        #expect(tokenizer.vocabularySize == 521)
    }

    static let cases: [(String, [String])] = [
        ("", []),
        ("the cat", ["the</w>", "cat</w>"]),
        ("THE  Cat\n", ["the</w>", "cat</w>"]),
        // The end-of-word mark decides: no "the</w>" inside a word.
        ("then", ["th", "e", "n</w>"]),
        ("that", ["th", "at</w>"]),
        ("cat's", ["cat</w>", "'s</w>"]),
        ("12", ["1</w>", "2</w>"]),
        ("a--b", ["a</w>", "-", "-</w>", "b</w>"]),
        ("<|endoftext|>the<|startoftext|>", ["<|endoftext|>", "the</w>", "<|startoftext|>"]),
        ("<|EndOfText|>", ["<|endoftext|>"]),
        // Composed: two bytes of é, not e and an accent.
        ("e\u{301}", ["Ã", "©</w>"]),
        ("猫猫", ["ç", "Į", "«</w>", "ç", "Į", "«</w>"]),
        ("a\u{0}\u{7}\u{200B}\u{FEFF}\u{FFFD}t", ["at</w>"]),
        ("a\u{A0}t", ["a</w>", "t</w>"]),
        // The combining iota vanishes and cuts; a long s is an s behind an apostrophe.
        ("t\u{345}h", ["t</w>", "h</w>"]),
        ("t'ſ", ["t</w>", "'", "Å", "¿</w>"]),
        ("t'ß", ["t</w>", "'</w>", "Ã", "Ł</w>"]),
    ]

    @Test(arguments: cases.indices)
    func encodes(index: Int) throws {
        let (text, expected) = Self.cases[index]
        #expect(try TinyCLIP.pieces(text) == expected, "\(text.debugDescription)")
    }

    @Test func sigmaAtTheEndOfAWord() {
        #expect(
            CLIPWords.split("ΑΣ ΑΣΑ Σ ΑΣ.").map { String(decoding: $0, as: UTF8.self) } == [
                "ας", "ασα", "σ", "ας", ".",
            ])
        #expect(CLIPWords.split("İ").map { String(decoding: $0, as: UTF8.self) } == ["i", "\u{307}"])
    }

    /// A long run is one word; the time must not grow with its square.
    @Test func longWords() throws {
        let tokenizer = try TinyCLIP.tokenizer()
        #expect(tokenizer.encode(String(repeating: "th", count: 100_000)).count == 100_001)
    }

    @Test func readsTokenizerJSON() throws {
        let merges = TinyCLIP.merges.map { "\"\($0)\"" }.joined(separator: ",")
        let pairs = TinyCLIP.merges.map { merge in
            "[" + merge.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ",") + "]"
        }.joined(separator: ",")
        let vocabulary = String(decoding: TinyCLIP.vocabulary(), as: UTF8.self)
        let plain = try TinyCLIP.tokenizer()
        for list in [merges, pairs] {
            let json = """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "model":
                 {"merges": [\(list)], "vocab": \(vocabulary), "end_of_word_suffix": "</w>", "type": "BPE"}}
                """
            let tokenizer = try CLIPTokenizer(jsonBytes: Array(json.utf8))
            #expect(tokenizer.encode("that cat's THE") == plain.encode("that cat's THE"))
        }
    }

    /// Windows line ends, no version line, no last newline, empty lines.
    @Test func mergeFilesMayDiffer() throws {
        let lines = Array(TinyCLIP.merges.joined(separator: "\r\n\r\n").utf8)
        let tokenizer = try CLIPTokenizer(vocabulary: TinyCLIP.vocabulary(), merges: lines)
        #expect(try tokenizer.encode("that cat's the") == TinyCLIP.tokenizer().encode("that cat's the"))
    }
}
