import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of Chroma: T5 features of the prompt's own length, no pooled vector (families-flux.md §12).
public struct ChromaTextEncoder: TextEncoder, T5PaddedEncoder {
    let t5: EncoderPart<T5Encoder>
    let embeddings: (any EmbeddingLibrary)?
    /// Layers of T5 that are run, counted from the end as `CLIPSetLastLayer` does.
    var lastLayer: Int?

    public let family = "T5-XXL (Chroma)"
    public var ownByteCount: Int { t5.source.ownByteCount }

    public func encode(
        _ prompt: PromptText, on b: any Backend, warn: (String) -> Void
    ) throws -> ConditioningEntry {
        let padding = t5.tokenizer.layout.padding
        let features = try t5.features(
            prompt.text(for: "t5xxl"), embeddings: embeddings, lastLayer: lastLayer,
            empty: { length in
                // Weights are measured against padding alone, without an end token.
                var chunk = TokenChunk()
                chunk.pad(with: padding, to: length)
                return chunk
            }, on: b, warn: warn)
        return ConditioningEntry(context: features)
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        let (part, report) = try t5.adding(LoRAFile(lora), strength: strength)
        return (ChromaTextEncoder(t5: part, embeddings: embeddings, lastLayer: lastLayer), report)
    }

    public func stoppingAt(layer: Int) -> any TextEncoder {
        var copy = self
        copy.lastLayer = layer
        return copy
    }

    public func paddingT5(minimumLength: Int, padding: Int) -> any TextEncoder {
        ChromaTextEncoder(
            t5: t5.padded(minimumLength: minimumLength, padding: padding), embeddings: embeddings,
            lastLayer: lastLayer)
    }
}
