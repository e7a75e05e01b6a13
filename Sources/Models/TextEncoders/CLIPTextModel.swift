import Checkpoints
import Synchronization
import Tensors
import Text

/// The CLIP text transformer (families-sd3-aura.md §6.1, families-unet-sampling.md §3).
struct CLIPTextModel: Sendable {
    struct Layer: Sendable {
        let norm1: (weight: Tensor, bias: Tensor)
        let query: LinearWeight
        let key: LinearWeight
        let value: LinearWeight
        let output: LinearWeight
        let norm2: (weight: Tensor, bias: Tensor)
        let expand: LinearWeight
        let contract: LinearWeight
    }
    let tokens: Tensor
    let positions: Tensor
    let layers: [Layer]
    let finalNorm: (weight: Tensor, bias: Tensor)
    /// What the pooled vector is multiplied by (CLIP-G).
    let projection: LinearWeight?
    let width: Int
    let activation: Activation
    let heldAs: DType?

    /// - Parameters:
    ///   - source: under transformers names; see ``CLIPKeys``.
    ///   - activation: quick-GELU for CLIP-L, GELU for CLIP-G.
    ///   - projects: whether `text_projection` is applied to the pooled vector.
    init(_ source: WeightSource, activation: Activation, projects: Bool = false) throws(CheckpointError) {
        let w = Weights(source, prefix: "text_model")
        guard let table = w["embeddings.token_embedding"].shape("weight"), table.count == 2, table[1] % 64 == 0 else {
            throw CheckpointError(
                .shapeMismatch,
                "\(source.name): \"text_model.embeddings.token_embedding.weight\" has the shape "
                    + "\(w["embeddings.token_embedding"].shape("weight") ?? []), expected [tokens, a multiple of 64]")
        }
        let d = table[1]
        width = d
        self.activation = activation
        heldAs = source.heldAs
        tokens = try w["embeddings.token_embedding"].tensor("weight", [-1, d])
        positions = try w["embeddings.position_embedding"].tensor("weight", [-1, d])
        func norm(_ w: Weights) throws(CheckpointError) -> (weight: Tensor, bias: Tensor) {
            (try w.vector("weight", d), try w.vector("bias", d))
        }
        var layers: [Layer] = []
        for i in 0..<w.count("encoder.layers") {
            let l = w["encoder.layers"][i]
            guard let hidden = l["mlp.fc1"].shape("weight")?.first else {
                throw CheckpointError(.missingKey, "\(source.name): the key \"\(l.prefix).mlp.fc1.weight\" is missing")
            }
            layers.append(
                Layer(
                    norm1: try norm(l["layer_norm1"]), query: try l["self_attn.q_proj"].linear(inputs: d, outputs: d),
                    key: try l["self_attn.k_proj"].linear(inputs: d, outputs: d),
                    value: try l["self_attn.v_proj"].linear(inputs: d, outputs: d),
                    output: try l["self_attn.out_proj"].linear(inputs: d, outputs: d),
                    norm2: try norm(l["layer_norm2"]), expand: try l["mlp.fc1"].linear(inputs: d, outputs: hidden),
                    contract: try l["mlp.fc2"].linear(inputs: hidden, outputs: d)))
        }
        self.layers = layers
        finalNorm = try norm(w["final_layer_norm"])
        projection = try projects ? Weights(source)["text_projection"].linear(inputs: d, outputs: d) : nil
    }

    struct Output {
        /// Output of every layer `[batch, tokens, width]`, not normalised; the last is the final one.
        var hidden: [Tensor]
        /// The last layer through the final norm.
        var last: Tensor
    }

    /// - Parameter chunks: sequences of equal length, at most as long as the position table.
    func callAsFunction(_ chunks: [TokenChunk], on b: any Backend) throws -> Output {
        let length = chunks.first?.count ?? 0
        guard length <= positions.shape[0] else {
            throw TensorError(
                .shapeMismatch,
                "a chunk of \(length) tokens exceeds the \(positions.shape[0]) positions of the CLIP model")
        }
        var x = try TokenRows.embed(chunks, table: tokens, heldAs: heldAs, on: b)
        let places = try b.gather(positions, rows: Array(0..<length), heldAs: heldAs)
        x = try b.add(x, places.reshaped([1, length, width]))
        let heads = width / 64
        var hidden: [Tensor] = []
        for layer in layers {
            let h = try b.layerNorm(
                x, weight: layer.norm1.weight, bias: layer.norm1.bias, epsilon: 1e-5, modulation: nil, result: .compute)
            let compute = LinearEpilogue(result: .compute)
            let a = try b.attention(
                b.linear(h, layer.query, compute), b.linear(h, layer.key, compute), b.linear(h, layer.value, compute),
                heads: heads, scale: 0.125, mask: .causal, result: .compute)
            x = try b.linear(a, layer.output, LinearEpilogue(residual: Residual(x)))
            let g = try b.layerNorm(
                x, weight: layer.norm2.weight, bias: layer.norm2.bias, epsilon: 1e-5, modulation: nil, result: .compute)
            let u = try b.linear(g, layer.expand, LinearEpilogue(activation, result: .compute))
            x = try b.linear(u, layer.contract, LinearEpilogue(residual: Residual(x)))
            hidden.append(x)
        }
        return Output(hidden: hidden, last: try normalised(x, on: b))
    }

    /// The final layer norm.
    func normalised(_ x: Tensor, on b: any Backend) throws -> Tensor {
        try b.layerNorm(
            x, weight: finalNorm.weight, bias: finalNorm.bias, epsilon: 1e-5, modulation: nil, result: .full)
    }

    /// The row of the first end token in the first chunk of a host tensor `[chunks, tokens, width]`, as `[1, width]`.
    func pooled(_ last: Tensor, _ chunk: TokenChunk, endToken: Int) throws -> Tensor {
        let position =
            chunk.tokens.firstIndex { if case .id(endToken) = $0 { true } else { false } } ?? chunk.count - 1
        return try last.slice(axis: 0, 0..<1).slice(axis: 1, position..<position + 1).reshaped([1, width])
    }
}
