import Testing

@testable import Text

/// Damaged files give a ``TokenizerError`` that names the file, and never a trap.
struct HostileFilesTests {
    private func fails(
        _ code: TokenizerError.Code, _ words: String, _ body: () throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do {
            try body()
            Issue.record("no error", sourceLocation: sourceLocation)
        } catch let error as TokenizerError {
            #expect(error.code == code && error.message.contains(words), "\(error)", sourceLocation: sourceLocation)
            #expect(!error.file.isEmpty, sourceLocation: sourceLocation)
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [
        ("", "ends too early"), ("[]", "expected an object"), ("{\"a\" 1}", "expected ':'"),
        ("{\"a\": \"1\"}", "expected an integer"), ("{\"a\": 1.5}", "expected an integer"),
        ("{\"a\": 99999999999999999999}", "integer below"), ("{\"a\": -1}", "has the id -1"),
        ("{\"a\": 16777216}", "ids are 0 to"), ("{\"a\": 1, \"a\": 2}", "appears twice"),
        ("{\"a\": 1, \"b\": 1}", "another entry has already"), ("{\"a\": 1,}", "expected a value after ','"),
        ("{\"a\": 1} x", "unexpected text"), ("{\"a\": 1", "ends too early"), ("{\"a", "ends inside a string"),
        ("{\"a\\", "ends inside a string"), ("{\"\\q\": 1}", "unknown escape"), ("{\"\\u12\": 1}", "hexadecimal"),
        ("{\"\\ud800\": 1}", "surrogate"), ("{\"\\ud800\\u0041\": 1}", "surrogate"),
        ("{\"a\n\": 1}", "control character"),
    ])
    func vocabulary(text: String, words: String) {
        fails(.malformed, words) { _ = try CLIPTokenizer(vocabulary: Array(text.utf8), merges: []) }
    }

    @Test func notUTF8() {
        fails(.malformed, "UTF-8") { _ = try CLIPTokenizer(vocabulary: [0x7B, 0xFF, 0x7D], merges: []) }
        fails(.malformed, "UTF-8") { _ = try UnigramTokenizer(jsonBytes: [0xC0, 0x80]) }
    }

    @Test func longEntry() {
        let text = "{\"\(String(repeating: "a", count: 5000))\": 1}"
        fails(.malformed, "5000 bytes") { _ = try CLIPTokenizer(vocabulary: Array(text.utf8), merges: []) }
    }

    @Test func noSpecialTokens() {
        fails(.wrongKind, "<|startoftext|>") { _ = try CLIPTokenizer(vocabulary: Array("{}".utf8), merges: []) }
    }

    @Test(arguments: [
        ("th", "is not two symbols"), ("t  h", "is not two symbols"), ("t h e", "is not two symbols"),
        (" t", "is not two symbols"), ("t 猫", "joins a symbol"), ("z z", "makes a symbol"),
    ])
    func merges(line: String, words: String) {
        fails(.malformed, words) {
            _ = try CLIPTokenizer(vocabulary: TinyCLIP.vocabulary(), merges: Array("t h\n\(line)\n".utf8))
        }
    }

    @Test func deepJSON() {
        let deep = "{\"x\": " + String(repeating: "[", count: 100_000)
        fails(.malformed, "nested deeper") { _ = try UnigramTokenizer(jsonBytes: Array(deep.utf8)) }
    }

    @Test func unigramFaults() throws {
        func with(_ words: String, _ code: TokenizerError.Code = .malformed, _ change: (inout UnigramJSON) -> Void) {
            var json = UnigramTokenizerTests.json
            change(&json)
            fails(code, words) { _ = try json.tokenizer() }
        }
        with("appears twice") { $0.pieces.append(("ab", -1)) }
        with("unk_id is 99") { $0.unknown = "99" }
        with("unk_id is missing") { $0.unknown = "null" }
        with("added_tokens[0]") { $0.added = #"{"id": -1, "content": "x"}"# }
        with("added_tokens[0]") { $0.added = #"{"id": 1, "content": ""}"# }
        with("not implemented", .unsupported) { $0.normalizer = #"{"type": "Nmt"}"# }
        with("type is missing") { $0.normalizer = "[]" }
        with("no list of normalizers") { $0.normalizer = #"{"type": "Sequence"}"# }
        with("no base64") { $0.normalizer = #"{"type": "Precompiled", "precompiled_charsmap": "a?=="}"# }
        with("too few") { $0.normalizer = #"{"type": "Precompiled", "precompiled_charsmap": "/////w=="}"# }
        with("only patterns", .unsupported) {
            $0.normalizer = #"{"type": "Replace", "pattern": {"Regex": "a|b"}, "content": ""}"#
        }
        with("not implemented", .unsupported) { $0.preTokenizer = #"{"type": "BertPreTokenizer"}"# }
        with("not one character") { $0.preTokenizer = #"{"type": "Metaspace", "replacement": "__"}"# }
        fails(.wrongKind, "needs a BPE model") {
            _ = try CLIPTokenizer(jsonBytes: Array(UnigramTokenizerTests.json.text.utf8))
        }
        fails(.malformed, "no model") { _ = try UnigramTokenizer(jsonBytes: Array("{}".utf8)) }
    }

    @Test func sentencePieceFaults() {
        func with(
            _ words: String, _ code: TokenizerError.Code = .malformed, _ change: (inout SentencePieceBuilder) -> Void
        ) {
            var builder = SentencePieceTests.pairs
            change(&builder)
            fails(code, words) { _ = try SentencePieceTokenizer(modelBytes: builder.bytes) }
        }
        with("holds no pieces") { $0.pieces = [] }
        with("no piece for unknown") { $0.pieces[0].role = 1 }
        with("has the type 9") { $0.pieces[3].role = 9 }
        with("model type 3", .unsupported) { $0.kind = 3 }
        with("end piece is 77") { $0.end = 77 }
        with("byte fallback is on") { $0.byteFallback = true }
        with("appears twice") { $0.pieces.append($0.pieces[4]) }
        with("is empty") { $0.pieces[3].text = "" }
        with("has the score") { $0.pieces[3].score = .nan }
        with("is called") {
            $0.byteFallback = true
            $0.pieces.append(("<0xZZ>", 0, 6))
        }
        with("too few") { $0.map = [0xFF, 0xFF, 0xFF, 0x7F] }
        for (bytes, words) in [
            ([], "no pieces"), ([0x0A], "ends inside a number"), ([0x0A, 0x7F], "claims 127 bytes"),
            ([0x00], "number 0"), ([0x0B], "wire type"), ([UInt8](repeating: 0xFF, count: 12), "ten bytes"),
            ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "claims"),
        ] as [([UInt8], String)] {
            fails(.malformed, words) { _ = try SentencePieceTokenizer(modelBytes: bytes) }
        }
    }

    @Test func unreadableFiles() {
        fails(.unreadable, "No such file") { _ = try UnigramTokenizer(json: "/nowhere/tokenizer.json") }
        fails(.unreadable, "not a regular file") { _ = try SentencePieceTokenizer(model: "/tmp") }
    }

    /// Every truncation and many random changes: loads or throws, and what loads can be used.
    @Test func damage() {
        let text = "Ab a <b> 日本 </s> e\u{301}"
        func survives(_ bytes: [UInt8]) {
            for load in [
                { try UnigramTokenizer(jsonBytes: bytes) as any Tokenizer },
                { try SentencePieceTokenizer(modelBytes: bytes) }, { try UnigramTokenizer(sentencePieceBytes: bytes) },
                { try CLIPTokenizer(vocabulary: bytes, merges: TinyCLIP.mergeLines()) },
            ] {
                guard let tokenizer = try? load() else { continue }
                let ids = tokenizer.encode(text)
                #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) })
            }
        }
        var json = UnigramTokenizerTests.json
        let map = CharacterMapBuilder.blob([("A", "a"), ("日", "b")])
        json.normalizer = #"{"type": "Strip", "strip_left": true}"#
        var pairs = SentencePieceTests.pairs
        pairs.map = Array(map.prefix(4 * 300))
        pairs.map[0...3] = [0xA0, 0x04, 0, 0]
        var unigram = pairs
        unigram.kind = 1
        var random = SplitMix(seed: 7)
        for original in [Array(json.text.utf8), pairs.bytes, unigram.bytes, Array(TinyCLIP.vocabulary().prefix(900))] {
            for length in stride(from: 0, to: original.count, by: 3) { survives(Array(original.prefix(length))) }
            for _ in 0..<600 {
                var changed = original
                for _ in 0...Int.random(in: 0..<4, using: &random) {
                    changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(
                        in: .min ... .max, using: &random)
                }
                survives(changed)
            }
        }
    }
}

/// A reproducible generator (Steele, Lea & Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
