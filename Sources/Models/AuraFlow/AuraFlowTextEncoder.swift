public import Checkpoints
public import Diffusion
public import Tensors
import Text

/// The text side of AuraFlow: Pile-T5-XL, a T5 encoder of the umT5 form with LLaMA's tokenizer
/// (families-sd3-aura.md §6.2 and §6.4). There is no pooled vector.
public struct AuraFlowTextEncoder: WeightedTextEncoder, T5PaddedEncoder {
    let t5: EncoderPart<T5Encoder>
    /// Layers of T5 that are run, counted from the end as `CLIPSetLastLayer` does.
    var lastLayer: Int?

    public let family = "Pile-T5-XL"
    public var ownByteCount: Int { t5.source.ownByteCount }

    public func encode(
        _ prompt: PromptText, on b: any Backend, warn: (String) -> Void
    ) throws -> ConditioningEntry {
        let tokens = try t5.tokenizer.encode(prompt.text(for: t5.tokenizer.layout.encoder))
        let length = tokens.chunks.map(\.count).max() ?? 0
        var sequences = tokens.chunks
        if tokens.isWeighted { sequences.append(t5.tokenizer.emptyChunk(length: length)) }
        let encoded = try HostMath.concatenate(sequences.map { try masked($0, on: b) }, axis: 0)
        if tokens.isWeighted { return ConditioningEntry(context: try PromptWeights.apply(tokens.chunks, to: encoded)) }
        return ConditioningEntry(
            context: try encoded.reshaped([1, encoded.shape[0] * encoded.shape[1], encoded.shape[2]]))
    }

    /// The encoding of one sequence `[1, tokens, width]`. Tokens behind the first end token are hidden from attention
    /// and their rows are zeros, so the encoder need not see them at all.
    private func masked(_ chunk: TokenChunk, on b: any Backend) throws -> Tensor {
        let model = try t5.model(for: b)
        var visible = TokenChunk()
        for (token, weight) in zip(chunk.tokens, chunk.weights) {
            visible.append(token, weight: weight)
            if case .id(let id) = token, id == t5.tokenizer.layout.end { break }
        }
        var layers: Int?
        if let lastLayer, lastLayer < 0, -lastLayer <= model.layers.count {
            layers = model.layers.count + lastLayer + 1
        }
        let rows = try b.host(model([visible], layers: layers, on: b))
        if visible.count == chunk.count { return rows }
        return try HostMath.concatenate([rows, .zeros([1, chunk.count - visible.count, rows.shape[2]])], axis: 1)
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        let (part, report) = try t5.adding(LoRAFile(lora), strength: strength)
        return (AuraFlowTextEncoder(t5: part, lastLayer: lastLayer), report)
    }

    public var sources: [EncoderSource] { [t5.encoderSource] }

    public func patched(_ patches: (EncoderSource) -> [String: [WeightPatch]]) throws -> AuraFlowTextEncoder {
        AuraFlowTextEncoder(t5: try t5.patched(patches(t5.encoderSource)), lastLayer: lastLayer)
    }

    public func stoppingAt(layer: Int) -> any TextEncoder {
        var copy = self
        copy.lastLayer = layer
        return copy
    }

    public func paddingT5(minimumLength: Int, padding: Int) -> any TextEncoder {
        AuraFlowTextEncoder(t5: t5.padded(minimumLength: minimumLength, padding: padding), lastLayer: lastLayer)
    }
}

extension EncoderPart where Model == T5Encoder {
    /// Pile-T5-XL; it keeps its own type unless that is wider than 16 bits.
    static func pileT5(_ source: WeightSource, _ tokenizer: PromptTokenizer) throws(CheckpointError) -> EncoderPart {
        var source = source
        let stored = source.pieces["encoder.final_layer_norm.weight"]?.first?.tensor.dtype ?? .float16
        source.heldAs = stored.byteCount > 2 ? .float16 : stored
        source.fullNamePrefix = "pile_t5xl.transformer."
        return try EncoderPart(
            source, tokenizer: tokenizer, loraPrefixes: (["text_encoders.pile_t5xl.transformer."], [])
        ) { source throws(CheckpointError) in try T5Encoder(source) }
    }
}
