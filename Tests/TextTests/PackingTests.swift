import Tensors
import Testing

@testable import Text

/// Every letter is a token: a = 1, b = 2, …; the rest is dropped.
struct LetterTokenizer: Tokenizer {
    var vocabularySize: Int { 27 }
    func encode(_ text: String) -> [Int] {
        text.unicodeScalars.compactMap { ("a"..."z").contains($0) ? Int($0.value) - 96 : nil }
    }
}

struct LetterEmbeddings: EmbeddingLibrary {
    struct Broken: Error {}
    func embedding(named name: String, for encoder: String) throws -> PromptEmbedding? {
        switch name {
        case "two": PromptEmbedding(name: name, tensor: encoder, vectors: try .zeros([2, 4]))
        case "one": PromptEmbedding(name: name, tensor: encoder, vectors: try .zeros([4]))
        case "nine": PromptEmbedding(name: name, tensor: encoder, vectors: try .zeros([9, 4]))
        case "broken": throw Broken()
        default: nil
        }
    }
}

struct PackingTests {
    static let start = 90
    static let end = 91
    static let pad = 92

    private func tokenizer(chunk: Int? = 12, minimum: Int = 0) -> PromptTokenizer {
        PromptTokenizer(
            LetterTokenizer(),
            layout: TokenLayout(
                encoder: "letters", start: chunk == nil ? nil : Self.start, end: Self.end, padding: Self.pad,
                chunkLength: chunk, minimumLength: minimum, readsEmbeddings: true))
    }

    /// `[` start, `]` end, `_` padding, letters, digits for rows of embeddings.
    private func picture(_ prompt: TokenizedPrompt) -> [String] {
        prompt.chunks.map { chunk in
            chunk.tokens.map {
                switch $0 {
                case .id(Self.start): "["
                case .id(Self.end): "]"
                case .id(Self.pad): "_"
                case .id(let id): String(Unicode.Scalar(UInt8(96 + id)))
                case .vector(_, let row): "\(row)"
                }
            }.joined()
        }
    }

    static let chunkCases: [(String, [String])] = [
        ("", ["[]__________"]),
        ("abc", ["[abc]_______"]),
        ("abcdefghij", ["[abcdefghij]"]),
        // Eight or more tokens are cut wherever the chunk ends.
        ("abcdefghijk", ["[abcdefghij]", "[k]_________"]),
        ("abcdefghijklmnopqrstuvwxyz", ["[abcdefghij]", "[klmnopqrst]", "[uvwxyz]____"]),
        ("(abcde)fghijklm", ["[abcdefghij]", "[klm]_______"]),
        // Fewer move to the next chunk together.
        ("(abcde)fghijkl", ["[abcde]_____", "[fghijkl]___"]),
        ("(abcde)(fghij)(k)", ["[abcdefghij]", "[k]_________"]),
        // A long group behind a full chunk.
        ("abcdefghij(klmnopqr)", ["[abcdefghij]", "[klmnopqr]__"]),
    ]

    @Test(arguments: chunkCases.indices)
    func packs(index: Int) throws {
        let (prompt, expected) = Self.chunkCases[index]
        #expect(try picture(tokenizer().encode(prompt)) == expected, "\(prompt)")
    }

    @Test func oneChunkOfAnyLength() throws {
        let long = tokenizer(chunk: nil, minimum: 6)
        #expect(try picture(long.encode("")) == ["]_____"])
        #expect(try picture(long.encode("abcde")) == ["abcde]"])
        #expect(try picture(long.encode("abcdefghijklmnopqrstuvwxyz")) == ["abcdefghijklmnopqrstuvwxyz]"])
    }

    @Test func weightsFollowTheirTokens() throws {
        let result = try tokenizer().encode("ab(c:0.5)(d)")
        #expect(result.chunks[0].weights == [1, 1, 1, 0.5, 1.1, 1, 1, 1, 1, 1, 1, 1])
        #expect(result.isWeighted)
        #expect(try !tokenizer().encode("(ab:1.0)").isWeighted)
    }

    @Test func emptyChunk() {
        #expect(picture(TokenizedPrompt(chunks: [tokenizer().emptyChunk(length: 5)])) == ["[]___"])
        #expect(picture(TokenizedPrompt(chunks: [tokenizer(chunk: nil).emptyChunk(length: 3)])) == ["]__"])
    }

    static let embeddingCases: [(String, [String], [String])] = [
        ("embedding:two", ["[01]________"], []),
        ("a embedding:two b", ["[a01b]______"], []),
        ("a\nembedding:two\nb", ["[a01b]______"], []),
        ("embedding:two embedding:one", ["[010]_______"], []),
        ("aembedding:two", ["[aembedding]", "[two]_______"], []),
        ("embedding:two, b", ["[01b]_______"], []),
        ("embedding:,two,,", ["[01]________"], []),
        ("a embedding:none b", ["[ab]________"], ["none"]),
        ("embedding: a", ["[a]_________"], [""]),
        ("x (embedding:two:1.5) y", ["[x01y]______"], []),
        // Nine rows are cut like nine words.
        ("ab embedding:nine", ["[ab01234567]", "[8]_________"], []),
    ]

    @Test(arguments: embeddingCases.indices)
    func embeddings(index: Int) throws {
        let (prompt, expected, missing) = Self.embeddingCases[index]
        let result = try tokenizer().encode(prompt, embeddings: LetterEmbeddings())
        #expect(picture(result) == expected, "\(prompt)")
        #expect(result.missingEmbeddings == missing, "\(prompt)")
    }

    @Test func commaGoesBackToTheText() throws {
        var missing: [String] = []
        let parts = try PromptPart.list(
            "a embedding:two,, b  c", for: "letters", in: LetterEmbeddings(), missing: &missing)
        guard parts.count == 3, case .text(let before) = parts[0], case .text(let after) = parts[2] else {
            Issue.record("\(parts)")
            return
        }
        #expect(before == "a" && after == ",, b c" && missing.isEmpty)
    }

    @Test func withoutALibraryItIsText() throws {
        #expect(try picture(tokenizer(chunk: nil).encode("embedding:two")) == ["embeddingtwo]"])
    }

    @Test func faultsOfTheLibraryReachTheCaller() {
        #expect(throws: LetterEmbeddings.Broken.self) {
            try tokenizer().encode("embedding:broken", embeddings: LetterEmbeddings())
        }
    }
}
