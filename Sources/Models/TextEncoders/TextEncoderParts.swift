public import Checkpoints
public import Text

/// The text encoders found in files, recognised by content (families-sd3-aura.md §1.5), with their tokenizers.
public struct TextEncoderParts: Sendable {
    public var clipL: WeightSource?
    public var clipG: WeightSource?
    public var clipH: WeightSource?
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

    func clipTokenizer() throws -> CLIPTokenizer { try locator.clip(checkpoint: (clipL ?? clipG ?? clipH)?.name) }
    func t5Tokenizer() throws -> UnigramTokenizer { try locator.t5(checkpoint: t5?.name) }
    func pileT5Tokenizer() throws -> SentencePieceTokenizer { try locator.pileT5(checkpoint: pileT5?.name) }

    /// Sorts a source in.
    ///
    /// - Parameter kind: which CLIP model it is, where its place in a file tells.
    /// - Throws: ``CheckpointError/Code/unknownFamily`` when it is no text encoder, and when there are two of a kind.
    mutating func add(_ source: WeightSource, as kind: CLIPKind? = nil) throws(CheckpointError) {
        if T5Encoder.recognisesPile(source) {
            guard pileT5 == nil else { throw twice("Pile-T5", source) }
            pileT5 = source
        } else if T5Encoder.recognises(source) {
            guard t5 == nil else { throw twice("T5", source) }
            t5 = source
        } else if let native = try CLIPKeys.native(source) {
            switch kind ?? CLIPKind(native) {
            case .g:
                guard clipG == nil else { throw twice("CLIP-G", source) }
                clipG = native
            case .h:
                guard clipH == nil else { throw twice("CLIP-H", source) }
                clipH = native
            case .l:
                guard clipL == nil else { throw twice("CLIP-L", source) }
                clipL = native
            }
        } else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name) is not a text encoder that is supported (CLIP-L, CLIP-G, CLIP-H, T5-XXL, "
                    + "Pile-T5-XL): \(KnownLayouts.describe(source))"
            )
        }
    }

    private func twice(_ kind: String, _ source: WeightSource) -> CheckpointError {
        CheckpointError(.unknownFamily, "\(source.name) is a second \(kind) text encoder; one of each kind is needed")
    }

    /// What is there, for messages.
    var found: String {
        let names = [
            clipL.map { _ in "CLIP-L" }, clipG.map { _ in "CLIP-G" }, clipH.map { _ in "CLIP-H" }, t5.map { _ in "T5" },
            pileT5.map { _ in "Pile-T5" },
        ].compactMap(\.self)
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}

/// The CLIP text models. Those of files of their own are told apart by their depth.
enum CLIPKind: Sendable {
    case l, g, h

    /// - Parameter source: under transformers names.
    init(_ source: WeightSource) {
        if source.contains("text_model.encoder.layers.30.mlp.fc1.weight") {
            self = .g
        } else if source.contains("text_model.encoder.layers.22.mlp.fc1.weight") {
            self = .h
        } else {
            self = .l
        }
    }
}

extension TextEncoderParts {
    /// Where all-in-one files keep text encoders: SD3 and FLUX; AuraFlow; SD1; SD2; SDXL; SDXL refiner.
    private static let checkpointPlaces: [(prefix: String, kind: CLIPKind?)] = [
        ("text_encoders.clip_l.transformer.", .l), ("text_encoders.clip_g.transformer.", .g),
        ("text_encoders.t5xxl.transformer.", nil), ("text_encoders.pile_t5xl.transformer.", nil),
        ("cond_stage_model.transformer.", .l), ("cond_stage_model.model.", .h),
        ("conditioner.embedders.0.transformer.", .l), ("conditioner.embedders.1.model.", .g),
        ("conditioner.embedders.0.model.", .g),
    ]
    static let checkpointPrefixes = checkpointPlaces.map(\.prefix)

    /// Sorts in every encoder of an all-in-one file.
    mutating func add(checkpoint file: CheckpointFile) throws(CheckpointError) {
        for place in Self.checkpointPlaces where file.keys.contains(where: { $0.hasPrefix(place.prefix) }) {
            try add(WeightSource(file, prefix: place.prefix), as: place.kind)
        }
    }

    /// Sorts in the encoder of a file of its own; one cut out of an all-in-one file may keep its prefix.
    mutating func add(encoderFile file: CheckpointFile) throws(CheckpointError) {
        let markers = [
            "encoder.block.0.layer.0.SelfAttention.q.weight", "text_model.encoder.layers.0.self_attn.q_proj.weight",
            "transformer.resblocks.0.attn.in_proj_weight",
        ]
        let prefix =
            ([""] + Self.checkpointPrefixes).first { start in markers.contains { file.contains(start + $0) } } ?? ""
        try add(WeightSource(file, prefix: prefix))
    }
}
