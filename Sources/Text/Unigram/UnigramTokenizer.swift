internal import JSON

/// The tokenizer of T5 as Hugging Face's `tokenizer.json` describes it: normalisation, words, unigram model.
///
/// Rules in families-sd3-aura.md §4 and families-unet-sampling.md §4.4. Details on which Hugging Face and SentencePiece
/// differ follow the former, as the reference does.
public struct UnigramTokenizer: Tokenizer {
    public let vocabularySize: Int

    private let model: UnigramModel
    private let added: [AddedToken]
    /// Added tokens looked for in the text as it is, and in the normalised text.
    private let plainTokens: AddedTokenSplitter
    private let normalizedTokens: AddedTokenSplitter
    private let normalization: [NormalizationStep]
    private let words: WordSplitter

    /// Loads a `tokenizer.json`.
    public init(json path: String) throws(TokenizerError) {
        try self.init(jsonBytes: FileBytes.read(path), file: path)
    }

    /// The same from memory; the name appears in errors.
    public init(jsonBytes: [UInt8], file: String = "tokenizer.json") throws(TokenizerError) {
        let contents = try TokenizerJSON(jsonBytes, file: file)
        guard case .unigram(let pieces, let scores) = contents.model, contents.kind == "Unigram" else {
            throw TokenizerError(
                .wrongKind, file: file, "holds a \(contents.kind) model; T5 needs a Unigram model")
        }
        guard let unknown = contents.unknownID, (0..<pieces.count).contains(unknown) else {
            throw TokenizerError(
                .malformed, file: file,
                "unk_id is \(contents.unknownID.map(String.init) ?? "missing"); expected 0 to \(pieces.count - 1)")
        }
        var byteIDs: [Int]?
        if contents.byteFallback {
            byteIDs = (0..<256).compactMap { pieces.index(of: Self.bytePiece(UInt8($0))) }
            // An incomplete set is not used at all: Hugging Face falls back only where every byte has a piece.
            if byteIDs?.count != 256 { byteIDs = nil }
        }
        self.init(
            model: UnigramModel(
                pieces: pieces, scores: scores, unknownID: unknown, byteIDs: byteIDs, arithmetic: .double),
            added: contents.addedTokens,
            normalization: try NormalizationStep.list(contents.normalizer, file: file),
            words: try WordSplitter(contents.preTokenizer, file: file))
    }

    init(model: UnigramModel, added: [AddedToken], normalization: [NormalizationStep], words: WordSplitter) {
        self.model = model
        self.added = added
        self.normalization = normalization
        self.words = words
        plainTokens = AddedTokenSplitter(added.filter { !$0.isNormalized })
        normalizedTokens = AddedTokenSplitter(
            added.filter(\.isNormalized).map {
                var token = $0
                token.content = normalization.reduce(token.content) { $1.apply($0) }
                return token
            })
        vocabularySize = max(model.pieces.count, (added.map(\.id).max() ?? -1) + 1)
    }

    /// Name of the piece that stands for a byte: `<0x0A>`.
    static func bytePiece(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
    }

    /// Id of a piece or added token, spelled exactly.
    public func id(of piece: String) -> Int? {
        added.first { $0.content.elementsEqual(piece.unicodeScalars) }?.id ?? model.id(of: piece)
    }

    public func encode(_ text: String) -> [Int] {
        var ids: [Int] = []
        for part in plainTokens.split(Array(text.unicodeScalars)) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let section):
                let normalized = normalization.reduce(Array(section)) { $1.apply($0) }
                encode(normalized, isFirst: section.startIndex == 0, into: &ids)
            }
        }
        return ids
    }

    private func encode(_ section: [Unicode.Scalar], isFirst: Bool, into ids: inout [Int]) {
        for part in normalizedTokens.split(section) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let text):
                for word in words.split(Array(text), isFirst: isFirst && text.startIndex == 0) {
                    model.encode(
                        word.flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }, into: &ids)
                }
            }
        }
    }
}
