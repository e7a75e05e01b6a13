import Checkpoints
import Tensors
import Text

/// Which layer's output of a CLIP text model is used as token features (families-unet-sampling.md §3).
struct CLIPLayerChoice: Sendable, Hashable {
    /// Counted from the end: −1 is the last layer.
    var index: Int
    /// Whether the final norm is applied to it.
    var isNormalised: Bool

    /// SD1: the last layer, normalised.
    static let last = CLIPLayerChoice(index: -1, isNormalised: true)
    /// SDXL and SD3: the second to last, as it is.
    static let penultimate = CLIPLayerChoice(index: -2, isNormalised: false)

    /// With the layer that `CLIPSetLastLayer` asked for, if it did.
    func stopping(at layer: Int?) -> CLIPLayerChoice {
        layer.map { CLIPLayerChoice(index: $0, isNormalised: isNormalised) } ?? self
    }
}

extension EncoderPart where Model == CLIPTextModel {
    /// The features of a prompt with its weights applied.
    ///
    /// - Parameter prompt: without chunks, the empty sequence (start and end) is encoded.
    /// - Returns: tokens `[1, chunks · length, width]` and the pooled vector `[1, width]` of the first chunk, projected
    ///   where the encoder does so; host memory.
    func features(
        _ prompt: TokenizedPrompt, layer: CLIPLayerChoice, on b: any Backend, warn: (String) -> Void
    ) throws -> (tokens: Tensor, pooled: Tensor) {
        let model = try model(for: b)
        var chunks = prompt.chunks.isEmpty ? [tokenizer.emptyChunk(length: 0)] : prompt.chunks
        chunks = fitted(chunks, to: model.width, warn)
        let isWeighted = chunks.contains(where: \.isWeighted)
        var rows = chunks
        if isWeighted { rows.append(tokenizer.emptyChunk(length: chunks.map(\.count).max() ?? 0)) }
        let output = try model(rows, on: b)
        let selected: Tensor
        if layer.index < 0, -layer.index <= output.hidden.count {
            let hidden = output.hidden[output.hidden.count + layer.index]
            selected = try layer.isNormalised ? model.normalised(hidden, on: b) : hidden
        } else {
            selected = output.last
        }
        let encoded = try b.host(selected)
        let tokens =
            try isWeighted
            ? PromptWeights.apply(chunks, to: encoded)
            : encoded.reshaped([1, encoded.shape[0] * encoded.shape[1], encoded.shape[2]])
        var pooled = try model.pooled(b.host(output.last), chunks[0], endToken: tokenizer.layout.end ?? 0)
        if let projection = model.projection { pooled = try b.host(b.linear(b.place(pooled), projection)) }
        return (tokens, pooled)
    }

    /// Chunks without the textual inversions of another width; padding takes their places at the end.
    private func fitted(_ chunks: [TokenChunk], to width: Int, _ warn: (String) -> Void) -> [TokenChunk] {
        var dropped: Set<String> = []
        let result = chunks.map { chunk in
            var fitting = TokenChunk()
            for (token, weight) in zip(chunk.tokens, chunk.weights) {
                if case .vector(let embedding, _) = token, embedding.vectors.shape.last != width {
                    dropped.insert(embedding.name)
                } else {
                    fitting.append(token, weight: weight)
                }
            }
            fitting.pad(with: tokenizer.layout.padding, to: chunk.count)
            return fitting
        }
        for name in dropped.sorted() {
            warn(
                "the embedding \"\(name)\" has nothing for \(tokenizer.layout.encoder), which is \(width) wide: it was made "
                    + "for another model family and is left out there")
        }
        return dropped.isEmpty ? chunks : result
    }
}
