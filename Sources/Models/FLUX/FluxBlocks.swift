import Checkpoints
import Layers
import Tensors

/// One stream (image or text) of a double block.
struct FluxStream: Sendable {
    /// Missing in Chroma.
    let modulation: LinearWeight?
    let query: LinearWeight
    let key: LinearWeight
    let value: LinearWeight
    let queryNorm: Tensor
    let keyNorm: Tensor
    let projection: LinearWeight
    let expand: LinearWeight
    let contract: LinearWeight

    /// - Parameter name: "img" or "txt".
    init(_ w: Weights, _ name: String, _ c: FluxConfiguration) throws(CheckpointError) {
        let (d, headWidth) = (c.width, c.width / c.heads)
        modulation = c.isChroma ? nil : try w["\(name)_mod.lin"].linear(inputs: d, outputs: 6 * d)
        let attention = w["\(name)_attn"]
        query = try attention["qkv"].linear(inputs: d, outputs: 3 * d, rows: 0..<d)
        key = try attention["qkv"].linear(inputs: d, outputs: 3 * d, rows: d..<2 * d)
        value = try attention["qkv"].linear(inputs: d, outputs: 3 * d, rows: 2 * d..<3 * d)
        queryNorm = try attention["norm.query_norm"].vector("scale", headWidth)
        keyNorm = try attention["norm.key_norm"].vector("scale", headWidth)
        projection = try attention["proj"].linear(inputs: d, outputs: d)
        expand = try w["\(name)_mlp.0"].linear(inputs: d, outputs: 4 * d)
        contract = try w["\(name)_mlp.2"].linear(inputs: 4 * d, outputs: d)
    }
}

/// Attention over text and image with separate weights (families-flux.md §3.4).
struct FluxDoubleBlock: Sendable {
    let image: FluxStream
    let text: FluxStream
    let heads: Int
    let width: Int

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        image = try FluxStream(w, "img", c)
        text = try FluxStream(w, "txt", c)
        heads = c.heads
        width = c.width
    }

    /// - Parameter index: number of the block.
    func callAsFunction(
        _ img: Tensor, _ txt: Tensor, index: Int, modulation: FluxModulation, rotary: RotaryTable,
        attention: FluxAttention, on b: any Backend
    ) throws -> (img: Tensor, txt: Tensor) {
        let batch = img.shape[0]
        let imageMod = try modulation.parts(.image(index), image.modulation, width: width, batch: batch, on: b)
        let textMod = try modulation.parts(.text(index), text.modulation, width: width, batch: batch, on: b)
        let x = try b.layerNorm(
            img, weight: nil, bias: nil, epsilon: 1e-6, modulation: imageMod.modulation(0), result: .compute)
        let y = try b.layerNorm(
            txt, weight: nil, bias: nil, epsilon: 1e-6, modulation: textMod.modulation(0), result: .compute)

        let q = try b.joinHeads(
            [
                HeadPart(b.linear(y, text.query), norm: text.queryNorm),
                HeadPart(b.linear(x, image.query), norm: image.queryNorm),
            ], heads: heads, epsilon: 1e-6, rotary: rotary)
        let k = try b.joinHeads(
            [
                HeadPart(b.linear(y, text.key), norm: text.keyNorm),
                HeadPart(b.linear(x, image.key), norm: image.keyNorm),
            ], heads: heads, epsilon: 1e-6, rotary: rotary)
        let v = try b.joinHeads(
            [
                HeadPart(b.linear(y, text.value, LinearEpilogue(result: .compute))),
                HeadPart(b.linear(x, image.value, LinearEpilogue(result: .compute))),
            ], heads: heads, epsilon: 1e-6, rotary: nil)
        let a = try attention(q, k, v, heads: heads, on: b)

        let textCount = txt.shape[1]
        let textAttention = try tokens(a, 0..<textCount, on: b)
        let imageAttention = try tokens(a, textCount..<a.shape[1], on: b)
        return (
            try finish(img, imageAttention, image, imageMod, on: b),
            try finish(txt, textAttention, text, textMod, on: b)
        )
    }

    private func finish(
        _ stream: Tensor, _ attention: Tensor, _ w: FluxStream, _ mod: ModulationParts, on b: any Backend
    ) throws -> Tensor {
        let s = try b.linear(
            attention, w.projection, LinearEpilogue(residual: Residual(stream, gate: mod.gate(0))))
        let h = try b.layerNorm(
            s, weight: nil, bias: nil, epsilon: 1e-6, modulation: mod.modulation(3), result: .compute)
        let u = try b.linear(h, w.expand, LinearEpilogue(.geluTanh, result: .compute))
        return try b.linear(u, w.contract, LinearEpilogue(residual: Residual(s, gate: mod.gate(3))))
    }
}

/// The tokens `range` of a sequence; a view where the batch allows it.
func tokens(_ x: Tensor, _ range: Range<Int>, on backend: any Backend) throws -> Tensor {
    let part = try x.slice(axis: 1, range)
    return x.shape[0] == 1 || range.count == x.shape[1] ? part : try backend.contiguous(part)
}

/// Attention and feed-forward side by side over one sequence (families-flux.md §3.5).
struct FluxSingleBlock: Sendable {
    /// Missing in Chroma.
    let modulation: LinearWeight?
    let query: LinearWeight
    let key: LinearWeight
    let value: LinearWeight
    let expand: LinearWeight
    let contract: LinearWeight
    let queryNorm: Tensor
    let keyNorm: Tensor
    let heads: Int
    let width: Int

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        let d = c.width
        modulation = c.isChroma ? nil : try w["modulation.lin"].linear(inputs: d, outputs: 3 * d)
        let fused = w["linear1"]
        query = try fused.linear(inputs: d, outputs: 7 * d, rows: 0..<d)
        key = try fused.linear(inputs: d, outputs: 7 * d, rows: d..<2 * d)
        value = try fused.linear(inputs: d, outputs: 7 * d, rows: 2 * d..<3 * d)
        expand = try fused.linear(inputs: d, outputs: 7 * d, rows: 3 * d..<7 * d)
        contract = try w["linear2"].linear(inputs: 5 * d, outputs: d)
        queryNorm = try w["norm.query_norm"].vector("scale", d / c.heads)
        keyNorm = try w["norm.key_norm"].vector("scale", d / c.heads)
        heads = c.heads
        width = d
    }

    /// - Parameter index: number of the block.
    func callAsFunction(
        _ x: Tensor, index: Int, modulation source: FluxModulation, rotary: RotaryTable, attention: FluxAttention,
        on b: any Backend
    ) throws -> Tensor {
        let mod = try source.parts(.single(index), modulation, width: width, batch: x.shape[0], on: b)
        let h = try b.layerNorm(
            x, weight: nil, bias: nil, epsilon: 1e-6, modulation: mod.modulation(0), result: .compute)
        let q = try b.joinHeads(
            [HeadPart(b.linear(h, query), norm: queryNorm)], heads: heads, epsilon: 1e-6, rotary: rotary)
        let k = try b.joinHeads(
            [HeadPart(b.linear(h, key), norm: keyNorm)], heads: heads, epsilon: 1e-6, rotary: rotary)
        let v = try b.linear(h, value, LinearEpilogue(result: .compute))
        let a = try attention(q, k, v, heads: heads, on: b)
        let u = try b.linear(h, expand, LinearEpilogue(.geluTanh, result: .compute))
        return try b.linear([a, u], contract, LinearEpilogue(residual: Residual(x, gate: mod.gate(0))))
    }
}
