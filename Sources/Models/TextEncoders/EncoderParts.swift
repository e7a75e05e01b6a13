import Checkpoints
import Diffusion
import Synchronization
import Tensors
import Text

/// A text transformer with its weights, its tokenizer and its names in LoRA files. The layers are made at first use,
/// once for each way of treating patches.
struct EncoderPart<Model: Sendable>: Sendable {
    let source: WeightSource
    let tokenizer: PromptTokenizer
    /// What may stand before a layer's name in a LoRA file, with dots or with underscores.
    let loraPrefixes: (dotted: [String], underscored: [String])
    let make: @Sendable (WeightSource) throws(CheckpointError) -> Model
    private let built: BuiltModels<Model>

    private init(_ part: EncoderPart, _ tokenizer: PromptTokenizer) {
        source = part.source
        self.tokenizer = tokenizer
        loraPrefixes = part.loraPrefixes
        make = part.make
        built = part.built
    }

    /// The part with another tokenizer; its layers are shared.
    func replacing(_ tokenizer: PromptTokenizer) -> EncoderPart { EncoderPart(self, tokenizer) }

    init(
        _ source: WeightSource, tokenizer: PromptTokenizer,
        loraPrefixes: (dotted: [String], underscored: [String]),
        make: @escaping @Sendable (WeightSource) throws(CheckpointError) -> Model
    ) throws(CheckpointError) {
        self.source = source
        self.tokenizer = tokenizer
        self.loraPrefixes = loraPrefixes
        self.make = make
        built = BuiltModels()
        _ = try built.model(source, roundsPatches: false, make)
    }

    /// The layers; patched weights are rounded as in the reference when the backend computes in float32.
    func model(for backend: any Backend) throws(CheckpointError) -> Model {
        try built.model(source, roundsPatches: backend.computeType == .float32, make)
    }

    func adding(_ file: LoRAFile, strength: Float) throws -> (part: EncoderPart, report: LoRAReport) {
        var table: [String: LoRATarget] = [:]
        for key in source.keys where key.hasSuffix(".weight") {
            let layer = String(key.dropLast(".weight".count))
            for prefix in loraPrefixes.dotted { table[prefix + layer] = LoRATarget(key) }
            let flat = String(layer.map { $0 == "." ? "_" : $0 })
            for prefix in loraPrefixes.underscored { table[prefix + flat] = LoRATarget(key) }
        }
        let (patches, report) = try file.patches(table, strength: strength)
        return (try patched(patches), report)
    }

    /// The part's name and weights.
    var encoderSource: EncoderSource { EncoderSource(name: tokenizer.layout.encoder, weights: source) }

    /// The part with changes on top of its weights.
    func patched(_ patches: [String: [WeightPatch]]) throws(CheckpointError) -> EncoderPart {
        if patches.isEmpty { return self }
        return try EncoderPart(source.patched(patches), tokenizer: tokenizer, loraPrefixes: loraPrefixes, make: make)
    }
}

private final class BuiltModels<Model: Sendable>: Sendable {
    private let models = Mutex([Bool: Model]())

    func model(
        _ source: WeightSource, roundsPatches: Bool, _ make: (WeightSource) throws(CheckpointError) -> Model
    ) throws(CheckpointError) -> Model {
        if let found = models.withLock({ $0[roundsPatches] }) { return found }
        var source = source
        source.roundsPatches = roundsPatches
        let made = try make(source)
        models.withLock { $0[roundsPatches] = made }
        return made
    }
}

extension EncoderPart where Model == CLIPTextModel {
    /// CLIP-L, held in float16 as the reference does.
    static func clipL(_ source: WeightSource, _ tokenizer: CLIPTokenizer) throws(CheckpointError) -> EncoderPart {
        var source = source
        source.heldAs = .float16
        source.fullNamePrefix = "clip_l.transformer."
        return try EncoderPart(
            source, tokenizer: .clipL(tokenizer),
            loraPrefixes: (["text_encoder.", "text_encoders.clip_l.transformer."], ["lora_te1_", "lora_te_"])
        ) { source throws(CheckpointError) in try CLIPTextModel(source, activation: .quickGelu) }
    }
}

extension EncoderPart where Model == CLIPTextModel {
    /// OpenCLIP-G, held in float16; its pooled vector is projected.
    ///
    /// - Parameter isAlone: whether it is the model's only encoder (SDXL refiner), as LoRA names tell.
    static func clipG(
        _ source: WeightSource, _ tokenizer: CLIPTokenizer, isAlone: Bool = false
    ) throws(CheckpointError) -> EncoderPart {
        var source = source
        source.heldAs = .float16
        source.fullNamePrefix = "clip_g.transformer."
        return try EncoderPart(
            source, tokenizer: .clipG(tokenizer),
            loraPrefixes: (
                ["text_encoder_2.", "text_encoders.clip_g.transformer."],
                ["lora_te2_"] + (isAlone ? ["lora_te_", "lora_te1_"] : [])
            )
        ) { source throws(CheckpointError) in try CLIPTextModel(source, activation: .gelu, projects: true) }
    }

    /// OpenCLIP-H of SD2, held in float16.
    static func clipH(_ source: WeightSource, _ tokenizer: CLIPTokenizer) throws(CheckpointError) -> EncoderPart {
        var source = source
        source.heldAs = .float16
        source.fullNamePrefix = "clip_h.transformer."
        var layout = TokenLayout.clipG(tokenizer)
        layout.encoder = "clip_h"
        return try EncoderPart(
            source, tokenizer: PromptTokenizer(tokenizer, layout: layout),
            loraPrefixes: (["text_encoder.", "text_encoders.clip_h.transformer."], ["lora_te_", "lora_te1_"])
        ) { source throws(CheckpointError) in try CLIPTextModel(source, activation: .gelu) }
    }
}

extension EncoderPart where Model == T5Encoder {
    /// T5-XXL; it keeps its own type unless that is wider than 16 bits.
    static func t5(_ source: WeightSource, _ tokenizer: PromptTokenizer) throws(CheckpointError) -> EncoderPart {
        var source = source
        let stored = source.pieces["encoder.final_layer_norm.weight"]?.first?.tensor.dtype ?? .float16
        source.heldAs = stored.byteCount > 2 ? .float16 : stored
        source.fullNamePrefix = "t5xxl.transformer."
        return try EncoderPart(
            source, tokenizer: tokenizer,
            loraPrefixes: (["text_encoders.t5xxl.transformer."], ["lora_te2_", "lora_te3_"])
        ) { source throws(CheckpointError) in try T5Encoder(source) }
    }
}
