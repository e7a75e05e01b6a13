import Checkpoints
public import Diffusion
import Tensors
import Text

extension EncoderPart where Model == T5Encoder {
    /// The features `[1, tokens, width]` of a prompt whose padding takes part in attention, weighted.
    ///
    /// - Parameters:
    ///   - lastLayer: the layer that `CLIPSetLastLayer` asked for, counted from the end.
    ///   - empty: the sequence that weights are measured against, by its length; the tokenizer's own if `nil`.
    func features(
        _ text: String, embeddings: (any EmbeddingLibrary)?, lastLayer: Int?,
        empty: ((Int) -> TokenChunk)? = nil, on b: any Backend, warn: (String) -> Void
    ) throws -> Tensor {
        let prompt = try tokenizer.encode(text, embeddings: embeddings)
        for name in prompt.missingEmbeddings {
            warn("embedding \"\(name)\" was not found and is left out of the prompt")
        }
        let model = try model(for: b)
        var chunks = prompt.chunks
        if prompt.isWeighted {
            let length = chunks.map(\.count).max() ?? 0
            chunks.append(empty?(length) ?? tokenizer.emptyChunk(length: length))
        }
        var layers: Int?
        if let lastLayer, lastLayer < 0, -lastLayer <= model.layers.count {
            layers = model.layers.count + lastLayer + 1
        }
        let encoded = try b.host(model(chunks, layers: layers, on: b))
        if prompt.isWeighted { return try PromptWeights.apply(prompt.chunks, to: encoded) }
        return try encoded.reshaped([1, encoded.shape[0] * encoded.shape[1], encoded.shape[2]])
    }

    /// The encoder with other padding: `padding` tokens behind the end token, then as many as make `minimumLength`.
    func padded(minimumLength: Int, padding: Int) -> EncoderPart {
        var tokenizer = tokenizer
        tokenizer.layout.minimumLength = minimumLength
        tokenizer.layout.minimumPadding = padding
        return replacing(tokenizer)
    }
}

/// A text encoder with a T5 among its parts, whose padding can be changed (`T5TokenizerOptions`).
public protocol T5PaddedEncoder: TextEncoder {
    /// The encoder with `padding` pad tokens behind the end token, then as many as make `minimumLength` tokens.
    func paddingT5(minimumLength: Int, padding: Int) -> any TextEncoder
}
