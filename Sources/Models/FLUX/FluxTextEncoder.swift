public import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of FLUX: T5 features and CLIP-L's pooled vector (families-flux.md §2).
public struct FluxTextEncoder: WeightedTextEncoder, T5PaddedEncoder {
    let clip: EncoderPart<CLIPTextModel>
    let t5: EncoderPart<T5Encoder>
    let embeddings: (any EmbeddingLibrary)?
    /// Layers of T5 that are run, counted from the end as `CLIPSetLastLayer` does.
    var lastLayer: Int?

    public let family = "CLIP-L + T5-XXL"
    public var ownByteCount: Int { clip.source.ownByteCount + t5.source.ownByteCount }

    public func encode(
        _ prompt: PromptText, on b: any Backend, warn: (String) -> Void
    ) throws -> ConditioningEntry {
        let features = try t5.features(
            prompt.text(for: "t5xxl"), embeddings: embeddings, lastLayer: lastLayer, on: b, warn: warn)
        var entry = ConditioningEntry(context: features)
        entry[PooledOutput.self] = try pooled(prompt.text(for: "clip_l"), on: b, warn: warn)
        return entry
    }

    private func pooled(_ text: String, on b: any Backend, warn: (String) -> Void) throws -> Tensor {
        let prompt = try clip.tokenizer.encode(text, embeddings: embeddings)
        for name in prompt.missingEmbeddings {
            warn("embedding \"\(name)\" was not found and is left out of the prompt")
        }
        guard let first = prompt.chunks.first else {
            throw CheckpointError(.malformed, "the CLIP tokenizer gave no tokens")
        }
        let model = try clip.model(for: b)
        let last = try b.host(model([first], on: b).last)
        return try model.pooled(last, first, endToken: clip.tokenizer.layout.end ?? 0)
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        let file = try LoRAFile(lora)
        let (clip, first) = try clip.adding(file, strength: strength)
        let (t5, second) = try t5.adding(file, strength: strength)
        let encoder = FluxTextEncoder(clip: clip, t5: t5, embeddings: embeddings, lastLayer: lastLayer)
        return (
            encoder,
            LoRAReport(
                used: first.used.union(second.used), changedWeights: first.changedWeights + second.changedWeights)
        )
    }

    public var sources: [EncoderSource] { [clip.encoderSource, t5.encoderSource] }

    public func patched(_ patches: (EncoderSource) -> [String: [WeightPatch]]) throws -> FluxTextEncoder {
        FluxTextEncoder(
            clip: try clip.patched(patches(clip.encoderSource)), t5: try t5.patched(patches(t5.encoderSource)),
            embeddings: embeddings, lastLayer: lastLayer)
    }

    public func stoppingAt(layer: Int) -> any TextEncoder {
        var copy = self
        copy.lastLayer = layer
        return copy
    }

    public func paddingT5(minimumLength: Int, padding: Int) -> any TextEncoder {
        FluxTextEncoder(
            clip: clip, t5: t5.padded(minimumLength: minimumLength, padding: padding), embeddings: embeddings,
            lastLayer: lastLayer)
    }
}
