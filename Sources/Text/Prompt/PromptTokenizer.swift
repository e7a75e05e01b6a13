/// Reads prompts for one encoder: weights, embeddings, tokens, chunks.
public struct PromptTokenizer: Sendable {
    /// A group of this many tokens is cut at the end of a chunk; a shorter one moves to the next chunk as a whole.
    static let longGroup = 8

    public let tokenizer: any Tokenizer
    public var layout: TokenLayout

    public init(_ tokenizer: any Tokenizer, layout: TokenLayout) {
        self.tokenizer = tokenizer
        self.layout = layout
    }

    /// CLIP-L.
    public static func clipL(_ tokenizer: CLIPTokenizer) -> PromptTokenizer {
        PromptTokenizer(tokenizer, layout: .clipL(tokenizer))
    }

    /// CLIP-G.
    public static func clipG(_ tokenizer: CLIPTokenizer) -> PromptTokenizer {
        PromptTokenizer(tokenizer, layout: .clipG(tokenizer))
    }

    /// T5-XXL with FLUX's minimum length of 256 or another.
    public static func t5(
        _ tokenizer: UnigramTokenizer, minimumLength: Int = 256
    ) throws(TokenizerError) -> PromptTokenizer {
        PromptTokenizer(tokenizer, layout: try .t5(tokenizer, minimumLength: minimumLength))
    }

    /// Pile-T5 of AuraFlow.
    public static func pileT5(_ tokenizer: SentencePieceTokenizer) throws(TokenizerError) -> PromptTokenizer {
        PromptTokenizer(tokenizer, layout: try .pileT5(tokenizer))
    }

    /// Tokens of a prompt with weights and embeddings.
    ///
    /// - Parameter library: where embeddings are looked up; without one, `embedding:name` is plain text.
    /// - Throws: ``TokenizerError`` for too many parentheses, and what the library throws.
    public func encode(_ prompt: String, embeddings library: (any EmbeddingLibrary)? = nil) throws -> TokenizedPrompt {
        try encode(WeightedText.parse(prompt), embeddings: library)
    }

    /// The same for text whose weights are known already.
    public func encode(
        _ segments: [WeightedText], embeddings library: (any EmbeddingLibrary)? = nil
    ) throws -> TokenizedPrompt {
        var groups: [Group] = []
        var missing: [String] = []
        for segment in segments {
            let parts =
                if layout.readsEmbeddings, let library {
                    try PromptPart.list(segment.text, for: layout.encoder, in: library, missing: &missing)
                } else {
                    [PromptPart.text(segment.text)]
                }
            for part in parts {
                let tokens =
                    switch part {
                    case .text(let text): tokenizer.encode(text).map { PromptToken.id($0) }
                    case .embedding(let embedding):
                        (0..<embedding.count).map { PromptToken.vector(embedding, row: $0) }
                    }
                if !tokens.isEmpty { groups.append(Group(tokens: tokens, weight: segment.weight)) }
            }
        }
        return TokenizedPrompt(chunks: pack(groups), missingEmbeddings: missing)
    }

    /// The sequence that weights are measured against: start, end, then padding.
    ///
    /// - Parameter length: tokens of the longest chunk of the prompt.
    public func emptyChunk(length: Int) -> TokenChunk {
        var chunk = TokenChunk()
        if let start = layout.start { chunk.append(.id(start)) }
        if let end = layout.end { chunk.append(.id(end)) }
        chunk.pad(with: layout.padding, to: length)
        return chunk
    }

    /// The tokens of one stretch of text, or of one embedding.
    private struct Group {
        var tokens: [PromptToken]
        var weight: Double
    }

    /// Families-unet-sampling.md §4.2.
    private func pack(_ groups: [Group]) -> [TokenChunk] {
        var chunks: [TokenChunk] = []
        var chunk = begin()
        /// Places for text: all but the end token.
        let room = layout.chunkLength.map { max($0 - (layout.end == nil ? 0 : 1), chunk.count + 1) } ?? Int.max
        for group in groups {
            var rest = group.tokens[...]
            let isLong = rest.count >= Self.longGroup
            while rest.count > room - chunk.count {
                if isLong || chunk.count == begin().count {
                    let part = rest.prefix(room - chunk.count)
                    for token in part { chunk.append(token, weight: group.weight) }
                    rest = rest.dropFirst(part.count)
                }
                chunks.append(finish(chunk))
                chunk = begin()
            }
            for token in rest { chunk.append(token, weight: group.weight) }
        }
        chunks.append(finish(chunk))
        return chunks
    }

    private func begin() -> TokenChunk {
        var chunk = TokenChunk()
        if let start = layout.start { chunk.append(.id(start)) }
        return chunk
    }

    private func finish(_ chunk: TokenChunk) -> TokenChunk {
        var chunk = chunk
        if let end = layout.end { chunk.append(.id(end)) }
        chunk.pad(
            with: layout.padding,
            to: max(layout.chunkLength ?? 0, layout.minimumLength, chunk.count + layout.minimumPadding))
        return chunk
    }
}
