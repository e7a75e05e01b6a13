import Checkpoints
import Tensors

/// x + conv(SiLU(norm(conv(SiLU(norm x)) + W·SiLU(time)))), with a 1×1 convolution on x where the channels change
/// (families-unet-sampling.md §5).
struct UNetResidualBlock: Sendable {
    let norm1: PictureNorm
    let conv1: Convolution
    let time: LinearWeight
    let norm2: PictureNorm
    let conv2: Convolution
    let shortcut: PointwiseConvolution?

    init(_ w: Weights, from inputs: Int, to outputs: Int, timeWidth: Int) throws(CheckpointError) {
        norm1 = try PictureNorm(w["in_layers.0"], channels: inputs, epsilon: 1e-5)
        conv1 = try Convolution(w["in_layers.2"], from: inputs, to: outputs, operands: .compute)
        time = try w["emb_layers.1"].linear(inputs: timeWidth, outputs: outputs)
        norm2 = try PictureNorm(w["out_layers.0"], channels: outputs, epsilon: 1e-5)
        conv2 = try Convolution(w["out_layers.3"], from: outputs, to: outputs, operands: .compute)
        shortcut = inputs == outputs ? nil : try PointwiseConvolution(w["skip_connection"], from: inputs, to: outputs)
    }

    /// - Parameters:
    ///   - x: `[batch, h, w, channels]`.
    ///   - time: SiLU of the time embedding `[batch, time width]`.
    func callAsFunction(_ x: Tensor, time embedding: Tensor, on b: any Backend) throws -> Tensor {
        var h = try conv1(norm1(x, .silu, on: b), on: b)
        let shift = try b.linear(embedding, time)
        h = try b.add(h, shift.reshaped([h.shape[0], 1, 1, h.shape[3]]))
        h = try conv2(norm2(h, .silu, on: b), on: b)
        if let shortcut { return try shortcut(x, residual: h, on: b) }
        return try b.add(x, h)
    }
}

/// Attention of tokens to `context` (or to themselves): q, k and v without bias.
struct UNetAttention: Sendable {
    let query: LinearWeight
    let key: LinearWeight
    let value: LinearWeight
    let output: LinearWeight
    let heads: Int

    init(_ w: Weights, width: Int, context: Int, heads: Int) throws(CheckpointError) {
        query = try w["to_q"].linear(inputs: width, outputs: width)
        key = try w["to_k"].linear(inputs: context, outputs: width)
        value = try w["to_v"].linear(inputs: context, outputs: width)
        output = try w["to_out.0"].linear(inputs: width, outputs: width)
        self.heads = heads
    }

    /// residual + out(attention(x, context)).
    ///
    /// - Parameters:
    ///   - skipsAttention: whether every token keeps its own value instead (perturbed attention guidance).
    ///   - probe: told queries and keys.
    func callAsFunction(
        _ x: Tensor, _ context: Tensor, residual: Tensor, skipsAttention: Bool = false,
        probe: UNetAttentionProbe? = nil, on b: any Backend
    ) throws -> Tensor {
        let compute = LinearEpilogue(result: .compute)
        let values = try b.linear(context, value, compute)
        var mixed = values
        if !skipsAttention {
            let (queries, keys) = (try b.linear(x, query, compute), try b.linear(context, key, compute))
            try probe?.record(queries: b.host(queries), keys: b.host(keys), heads: heads)
            mixed = try b.attention(
                queries, keys, values, heads: heads, scale: 1 / Float(query.outputs / heads).squareRoot(),
                mask: .none, result: .compute)
        }
        return try b.linear(mixed, output, LinearEpilogue(residual: Residual(residual)))
    }
}

/// Self-attention, attention to the text, feed-forward with GEGLU (Shazeer 2020), each on a layer norm.
struct UNetTransformerBlock: Sendable {
    private let norms: [(weight: Tensor, bias: Tensor)]
    private let own: UNetAttention
    private let text: UNetAttention
    private let expand: LinearWeight
    private let contract: LinearWeight

    init(_ w: Weights, width: Int, context: Int, heads: Int) throws(CheckpointError) {
        var norms: [(weight: Tensor, bias: Tensor)] = []
        for name in ["norm1", "norm2", "norm3"] {
            norms.append((try w[name].vector("weight", width), try w[name].vector("bias", width)))
        }
        self.norms = norms
        own = try UNetAttention(w["attn1"], width: width, context: width, heads: heads)
        text = try UNetAttention(w["attn2"], width: width, context: context, heads: heads)
        expand = try w["ff.net.0.proj"].linear(inputs: width, outputs: 8 * width)
        contract = try w["ff.net.2"].linear(inputs: 4 * width, outputs: width)
    }

    /// - Parameters:
    ///   - x: `[batch, tokens, width]`.
    ///   - context: text features `[batch, tokens, context width]`.
    func callAsFunction(
        _ x: Tensor, context: Tensor, skipsSelfAttention: Bool, probe: UNetAttentionProbe?, on b: any Backend
    ) throws -> Tensor {
        let first = try normalised(x, 0, on: b)
        var x = try own(first, first, residual: x, skipsAttention: skipsSelfAttention, probe: probe, on: b)
        x = try text(normalised(x, 1, on: b), context, residual: x, on: b)
        let wide = try b.linear(normalised(x, 2, on: b), expand)
        let half = wide.shape[2] / 2
        let hidden = try b.gated(
            wide.slice(axis: 2, half..<2 * half), wide.slice(axis: 2, 0..<half), .gelu, result: .compute)
        return try b.linear(hidden, contract, LinearEpilogue(residual: Residual(x)))
    }

    private func normalised(_ x: Tensor, _ index: Int, on b: any Backend) throws -> Tensor {
        try b.layerNorm(
            x, weight: norms[index].weight, bias: norms[index].bias, epsilon: 1e-5, modulation: nil, result: .compute)
    }
}

/// Pixels as tokens through transformer blocks: group norm (ε 1e-6), projection, blocks, projection, sum with the input.
struct UNetSpatialTransformer: Sendable {
    private let norm: PictureNorm
    private let input: LinearWeight
    private let blocks: [UNetTransformerBlock]
    private let output: LinearWeight

    init(_ w: Weights, channels: Int, depth: Int, context: Int, heads: Int) throws(CheckpointError) {
        norm = try PictureNorm(w["norm"], channels: channels)
        input = try Self.projection(w["proj_in"], channels)
        var blocks: [UNetTransformerBlock] = []
        for index in 0..<depth {
            blocks.append(
                try UNetTransformerBlock(
                    w["transformer_blocks"][index], width: channels, context: context, heads: heads))
        }
        self.blocks = blocks
        output = try Self.projection(w["proj_out"], channels)
    }

    /// A matrix in SDXL, a 1×1 kernel in SD1: the same computation.
    private static func projection(_ w: Weights, _ channels: Int) throws(CheckpointError) -> LinearWeight {
        if w.shape("weight")?.count == 2 { return try w.linear(inputs: channels, outputs: channels) }
        return try PointwiseConvolution(w, from: channels, to: channels).weight
    }

    func callAsFunction(
        _ x: Tensor, context: Tensor, skipsSelfAttention: Bool = false, probe: UNetAttentionProbe? = nil,
        on b: any Backend
    ) throws -> Tensor {
        var h = try b.linear(PointwiseConvolution.flat(norm(x, .identity, on: b)), input)
        for (index, block) in blocks.enumerated() {
            h = try block(
                h, context: context, skipsSelfAttention: skipsSelfAttention, probe: index == 0 ? probe : nil, on: b)
        }
        probe?.note(rows: x.shape[1], columns: x.shape[2])
        let residual = Residual(try PointwiseConvolution.flat(x))
        return try b.linear(h, output, LinearEpilogue(residual: residual)).reshaped(x.shape)
    }
}
