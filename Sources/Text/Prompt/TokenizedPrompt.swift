/// One place in an encoder's input.
public enum PromptToken: Sendable {
    /// A row of the encoder's own token table.
    case id(Int)
    /// A row of a textual inversion.
    case vector(PromptEmbedding, row: Int)
}

/// One sequence an encoder reads.
public struct TokenChunk: Sendable {
    public private(set) var tokens: [PromptToken] = []
    /// As many as tokens; 1 for start, end and padding.
    public private(set) var weights: [Double] = []

    public init() {}

    public var count: Int { tokens.count }

    public mutating func append(_ token: PromptToken, weight: Double = 1) {
        tokens.append(token)
        weights.append(weight)
    }

    /// Pads with an id up to a length.
    public mutating func pad(with id: Int, to length: Int) {
        while tokens.count < length { append(.id(id)) }
    }

    /// Whether any token has a weight other than 1.
    public var isWeighted: Bool { weights.contains { $0 != 1 } }
}

/// A prompt as one encoder reads it.
public struct TokenizedPrompt: Sendable {
    /// At least one; none only where a node asks for an empty list.
    public var chunks: [TokenChunk]
    /// Names behind `embedding:` that no file has; they were dropped from the text.
    public var missingEmbeddings: [String]

    public init(chunks: [TokenChunk] = [], missingEmbeddings: [String] = []) {
        self.chunks = chunks
        self.missingEmbeddings = missingEmbeddings
    }

    /// Whether any token of any chunk has a weight other than 1.
    public var isWeighted: Bool { chunks.contains(where: \.isWeighted) }
}
