/// How an encoder wants its tokens: which ids begin, end and fill a chunk, and how long chunks are.
public struct TokenLayout: Sendable, Hashable {
    /// Name of the encoder, which is also its key in embedding files: `clip_l`, `clip_g`, `t5xxl`.
    public var encoder: String
    public var start: Int?
    public var end: Int?
    public var padding: Int
    /// Tokens of a chunk with start and end; nil for one chunk of any length.
    public var chunkLength: Int?
    /// Chunks are padded to this length.
    public var minimumLength: Int
    /// Pad tokens that follow the end token whatever the length; those that make ``minimumLength`` come after them.
    public var minimumPadding = 0
    /// Whether `embedding:name` means anything.
    public var readsEmbeddings: Bool

    public init(
        encoder: String, start: Int?, end: Int?, padding: Int, chunkLength: Int?, minimumLength: Int,
        readsEmbeddings: Bool
    ) {
        self.encoder = encoder
        self.start = start
        self.end = end
        self.padding = padding
        self.chunkLength = chunkLength
        self.minimumLength = minimumLength
        self.readsEmbeddings = readsEmbeddings
    }

    /// CLIP-L: 77 tokens, padded with the end token.
    public static func clipL(_ tokenizer: CLIPTokenizer) -> TokenLayout {
        TokenLayout(
            encoder: "clip_l", start: tokenizer.startToken, end: tokenizer.endToken, padding: tokenizer.endToken,
            chunkLength: 77, minimumLength: 77, readsEmbeddings: true)
    }

    /// CLIP-G: 77 tokens, padded with zeros.
    public static func clipG(_ tokenizer: CLIPTokenizer) -> TokenLayout {
        TokenLayout(
            encoder: "clip_g", start: tokenizer.startToken, end: tokenizer.endToken, padding: 0, chunkLength: 77,
            minimumLength: 77, readsEmbeddings: true)
    }

    /// T5-XXL: one chunk, no start token.
    ///
    /// - Parameter minimumLength: 256 for FLUX, 77 for SD3.
    public static func t5(_ tokenizer: UnigramTokenizer, minimumLength: Int = 256) throws(TokenizerError) -> TokenLayout
    {
        guard let end = tokenizer.id(of: "</s>"), let padding = tokenizer.id(of: "<pad>") else {
            throw TokenizerError(
                .wrongKind, file: "", "the unigram vocabulary has no </s> and <pad>; T5's vocabulary has both")
        }
        return TokenLayout(
            encoder: "t5xxl", start: nil, end: end, padding: padding, chunkLength: nil, minimumLength: minimumLength,
            readsEmbeddings: true)
    }

    /// Pile-T5 of AuraFlow: one chunk, end token 2, padded with 1, no embeddings.
    public static func pileT5(_ tokenizer: SentencePieceTokenizer) throws(TokenizerError) -> TokenLayout {
        guard let end = tokenizer.endToken, let padding = tokenizer.startToken else {
            throw TokenizerError(
                .wrongKind, file: "", "the SentencePiece model has no start and end pieces; Pile-T5's model has both")
        }
        return TokenLayout(
            encoder: "pile_t5xl", start: nil, end: end, padding: padding, chunkLength: nil, minimumLength: 256,
            readsEmbeddings: false)
    }
}
