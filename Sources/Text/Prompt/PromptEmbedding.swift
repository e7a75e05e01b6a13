public import Tensors

/// The vectors of one textual inversion, as `embedding:name` puts them into a prompt.
public struct PromptEmbedding: Sendable {
    /// Name of the file, without folder and extension.
    public var name: String
    /// Key of the tensor in the file: `emb_params`, `clip_l`, `clip_g`, ….
    public var tensor: String
    /// `[tokens, width]`, or `[width]` for a single token.
    public var vectors: Tensor
    /// How many tokens it stands for.
    public var count: Int { vectors.shape.rank == 2 ? vectors.shape[0] : 1 }

    public init(name: String, tensor: String, vectors: Tensor) {
        self.name = name
        self.tensor = tensor
        self.vectors = vectors
    }
}

/// Where `embedding:name` is looked up.
public protocol EmbeddingLibrary: Sendable {
    /// The embedding of a name as it stands in the prompt, with or without file extension.
    ///
    /// - Parameter encoder: the encoder asking: `clip_l`, `clip_g`, `t5xxl`. Files made for several encoders hold a
    ///   tensor of that name for each.
    /// - Returns: nil if there is no such file.
    /// - Throws: if there is one but it cannot be read.
    func embedding(named name: String, for encoder: String) throws -> PromptEmbedding?
}

/// A prompt's text cut at `embedding:name`; families-unet-sampling.md §4.1, step 4.
enum PromptPart: Sendable {
    case text(String)
    case embedding(PromptEmbedding)

    private static let keyword = Array("embedding:".unicodeScalars)

    /// - Parameter missing: receives the names that the library does not have.
    static func list(
        _ text: String, for encoder: String, in library: any EmbeddingLibrary, missing: inout [String]
    ) throws -> [PromptPart] {
        var parts: [PromptPart] = []
        for piece in cut(Array(text.unicodeScalars)) {
            guard piece.starts(with: keyword) else {
                parts.append(.text(string(piece)))
                continue
            }
            let words = piece.dropFirst(keyword.count).split(
                omittingEmptySubsequences: false, whereSeparator: \.properties.isWhitespace)
            let name = words.first ?? []
            let (embedding, leftover) = try find(string(name), for: encoder, in: library)
            if let embedding { parts.append(.embedding(embedding)) } else { missing.append(string(name)) }
            let rest = ([leftover] + words.dropFirst().map(string)).filter { !$0.isEmpty }
            if !rest.isEmpty { parts.append(.text(rest.joined(separator: " "))) }
        }
        return parts
    }

    /// Looks a name up, then without the commas at its ends. Commas that were cut off its end are text again.
    private static func find(
        _ name: String, for encoder: String, in library: any EmbeddingLibrary
    ) throws -> (PromptEmbedding?, leftover: String) {
        if name.isEmpty { return (nil, "") }
        if let embedding = try library.embedding(named: name, for: encoder) { return (embedding, "") }
        let tail = name.reversed().prefix { $0 == "," }
        let bare = name.dropLast(tail.count).drop { $0 == "," }
        guard bare.count < name.count, !bare.isEmpty,
            let embedding = try library.embedding(named: String(bare), for: encoder)
        else { return (nil, "") }
        return (embedding, String(tail))
    }

    /// Cuts before the keyword where a space or a newline, which is dropped, precedes it.
    private static func cut(_ text: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
        var pieces: [ArraySlice<Unicode.Scalar>] = []
        var start = 0
        for index in text.indices
        where (text[index] == " " || text[index] == "\n") && text[(index + 1)...].starts(with: keyword) {
            pieces.append(text[start..<index])
            start = index + 1
        }
        pieces.append(text[start...])
        return pieces.filter { !$0.isEmpty }
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
