public import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of FLUX: T5 features and CLIP-L's pooled vector (families-flux.md §2).
public struct FluxTextEncoder: WeightedTextEncoder {
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
        var entry = ConditioningEntry(context: try tokens(prompt.text(for: "t5xxl"), on: b, warn: warn))
        entry[PooledOutput.self] = try pooled(prompt.text(for: "clip_l"), on: b, warn: warn)
        return entry
    }

    private func tokens(_ text: String, on b: any Backend, warn: (String) -> Void) throws -> Tensor {
        let prompt = try t5.tokenizer.encode(text, embeddings: embeddings)
        report(prompt.missingEmbeddings, warn)
        let model = try t5.model(for: b)
        var chunks = prompt.chunks
        if prompt.isWeighted {
            chunks.append(t5.tokenizer.emptyChunk(length: chunks.map(\.count).max() ?? 0))
        }
        var layers: Int?
        if let lastLayer, lastLayer < 0, -lastLayer <= model.layers.count {
            layers = model.layers.count + lastLayer + 1
        }
        let encoded = try b.host(model(chunks, layers: layers, on: b))
        if prompt.isWeighted { return try PromptWeights.apply(prompt.chunks, to: encoded) }
        return try encoded.reshaped([1, encoded.shape[0] * encoded.shape[1], encoded.shape[2]])
    }

    private func pooled(_ text: String, on b: any Backend, warn: (String) -> Void) throws -> Tensor {
        let prompt = try clip.tokenizer.encode(text, embeddings: embeddings)
        report(prompt.missingEmbeddings, warn)
        guard let first = prompt.chunks.first else {
            throw CheckpointError(.malformed, "the CLIP tokenizer gave no tokens")
        }
        let model = try clip.model(for: b)
        let last = try b.host(model([first], on: b).last)
        return try model.pooled(last, first, endToken: clip.tokenizer.layout.end ?? 0)
    }

    private func report(_ names: [String], _ warn: (String) -> Void) {
        for name in names { warn("embedding \"\(name)\" was not found and is left out of the prompt") }
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
}
