public import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of the UNet families: CLIP-L (SD1), CLIP-H (SD2), CLIP-L and CLIP-G (SDXL), or CLIP-G alone (SDXL
/// refiner); families-unet-sampling.md §3 and §4.
///
/// The token features of several encoders stand beside each other; the pooled vector is the last encoder's.
public struct CLIPTextEncoder: WeightedTextEncoder {
    /// In the order in which their features are joined.
    private var parts: [EncoderPart<CLIPTextModel>]
    let layer: CLIPLayerChoice
    let embeddings: (any EmbeddingLibrary)?
    /// The layer that `CLIPSetLastLayer` asked for.
    private var lastLayer: Int?
    public let family: String
    public var ownByteCount: Int { parts.reduce(0) { $0 + $1.source.ownByteCount } }

    init(
        _ parts: [EncoderPart<CLIPTextModel>], layer: CLIPLayerChoice, embeddings: (any EmbeddingLibrary)?,
        family: String
    ) {
        self.parts = parts
        self.layer = layer
        self.embeddings = embeddings
        self.family = family
    }

    /// The encoder of the CLIP models found; `nil` without any.
    static func make(_ found: TextEncoderParts) throws -> CLIPTextEncoder? {
        if let l = found.clipL, let g = found.clipG {
            let tokenizer = try found.clipTokenizer()
            return CLIPTextEncoder(
                [try .clipL(l, tokenizer), try .clipG(g, tokenizer)], layer: .penultimate,
                embeddings: found.embeddings, family: "CLIP-L + CLIP-G")
        }
        if let l = found.clipL {
            return CLIPTextEncoder(
                [try .clipL(l, found.clipTokenizer())], layer: .last, embeddings: found.embeddings, family: "CLIP-L")
        }
        if let g = found.clipG {
            return CLIPTextEncoder(
                [try .clipG(g, found.clipTokenizer(), isAlone: true)], layer: .penultimate,
                embeddings: found.embeddings, family: "CLIP-G")
        }
        guard let h = found.clipH else { return nil }
        // SD2 was trained on the output of the 23rd of 24 layers; files may leave the last one out.
        let index = h.count("text_model.encoder.layers.") >= 24 ? -2 : -1
        return CLIPTextEncoder(
            [try .clipH(h, found.clipTokenizer())], layer: CLIPLayerChoice(index: index, isNormalised: true),
            embeddings: found.embeddings, family: "CLIP-H")
    }

    public func encode(
        _ prompt: PromptText, on b: any Backend, warn: (String) -> Void
    ) throws -> ConditioningEntry {
        var prompts = try parts.map { part in
            try part.tokenizer.encode(prompt.text(for: part.tokenizer.layout.encoder), embeddings: embeddings)
        }
        for name in Set(prompts.flatMap(\.missingEmbeddings)).sorted() {
            warn("embedding \"\(name)\" was not found and is left out of the prompt")
        }
        if !prompt.perEncoder.isEmpty {
            // Texts of their own may need different numbers of chunks: the shorter one is filled up.
            let most = prompts.map(\.chunks.count).max() ?? 0
            for (index, part) in parts.enumerated() where prompts[index].chunks.count < most {
                let empty = try part.tokenizer.encode("").chunks
                while prompts[index].chunks.count < most, !empty.isEmpty { prompts[index].chunks += empty }
            }
        }
        var features: [Tensor] = []
        var pooled: Tensor?
        for (part, tokens) in zip(parts, prompts) {
            let encoded = try part.features(tokens, layer: layer.stopping(at: lastLayer), on: b, warn: warn)
            features.append(encoded.tokens)
            pooled = encoded.pooled
        }
        let shortest = features.map { $0.shape[1] }.min() ?? 0
        var entry = ConditioningEntry(
            context: try HostMath.concatenate(features.map { try $0.slice(axis: 1, 0..<shortest) }, axis: 2))
        entry[PooledOutput.self] = pooled
        return entry
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        let file = try LoRAFile(lora)
        var copy = self
        var total = LoRAReport()
        for index in parts.indices {
            let (part, report) = try parts[index].adding(file, strength: strength)
            copy.parts[index] = part
            total.used.formUnion(report.used)
            total.changedWeights += report.changedWeights
        }
        return (copy, total)
    }

    public var sources: [EncoderSource] { parts.map(\.encoderSource) }

    public func patched(_ patches: (EncoderSource) -> [String: [WeightPatch]]) throws -> CLIPTextEncoder {
        var copy = self
        copy.parts = try parts.map { try $0.patched(patches($0.encoderSource)) }
        return copy
    }

    public func stoppingAt(layer: Int) -> any TextEncoder {
        var copy = self
        copy.lastLayer = layer
        return copy
    }
}
