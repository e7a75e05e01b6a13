public import Checkpoints
public import Text

/// The text encoders found in files, recognised by content (families-sd3-aura.md §1.5), with their tokenizers.
public struct TextEncoderParts: Sendable {
    public var clipL: WeightSource?
    public var clipG: WeightSource?
    public var t5: WeightSource?
    /// T5 of the umT5 form with LLaMA's vocabulary: every block has its own position table.
    public var pileT5: WeightSource?
    public var embeddings: (any EmbeddingLibrary)?
    /// Where tokenizer files are looked for.
    let locator: TokenizerLocator

    init(locator: TokenizerLocator, embeddings: (any EmbeddingLibrary)?) {
        self.locator = locator
        self.embeddings = embeddings
    }

    func clipTokenizer() throws -> CLIPTokenizer { try locator.clip(checkpoint: (clipL ?? clipG)?.name) }
    func t5Tokenizer() throws -> UnigramTokenizer { try locator.t5(checkpoint: t5?.name) }
    func pileT5Tokenizer() throws -> SentencePieceTokenizer { try locator.pileT5(checkpoint: pileT5?.name) }

    /// Sorts a source in.
    ///
    /// - Throws: ``CheckpointError/Code/unknownFamily`` when it is no text encoder, and when there are two of a kind.
    mutating func add(_ source: WeightSource) throws(CheckpointError) {
        if T5Encoder.recognisesPile(source) {
            guard pileT5 == nil else { throw twice("Pile-T5", source) }
            pileT5 = source
        } else if T5Encoder.recognises(source) {
            guard t5 == nil else { throw twice("T5", source) }
            t5 = source
        } else if CLIPTextModel.recognises(source) {
            if source.contains("text_model.encoder.layers.30.mlp.fc1.weight") {
                guard clipG == nil else { throw twice("CLIP-G", source) }
                clipG = source
            } else {
                guard clipL == nil else { throw twice("CLIP-L", source) }
                clipL = source
            }
        } else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name) is not a text encoder that is supported (CLIP-L, T5-XXL): \(KnownLayouts.describe(source))"
            )
        }
    }

    private func twice(_ kind: String, _ source: WeightSource) -> CheckpointError {
        CheckpointError(.unknownFamily, "\(source.name) is a second \(kind) text encoder; one of each kind is needed")
    }

    /// What is there, for messages.
    var found: String {
        let names = [
            clipL.map { _ in "CLIP-L" }, clipG.map { _ in "CLIP-G" }, t5.map { _ in "T5" },
            pileT5.map { _ in "Pile-T5" },
        ].compactMap(\.self)
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
