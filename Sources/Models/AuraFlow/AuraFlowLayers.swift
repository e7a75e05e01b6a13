import Checkpoints
import Layers
import Tensors

/// One stream (text, picture or both together) of an AuraFlow layer. No biases.
struct AuraFlowStream: Sendable {
    let modulation: LinearWeight
    let query: LinearWeight
    let key: LinearWeight
    let value: LinearWeight
    let output: LinearWeight
    let gate: LinearWeight
    let up: LinearWeight
    let down: LinearWeight
    private let width: Int
    private let heads: Int

    /// - Parameters:
    ///   - attention: "w1" or "w2", where the names of the attention's layers begin.
    ///   - modulation, feedForward: names of those parts.
    init(
        _ w: Weights, attention: String, modulation: String, feedForward: String, _ c: AuraFlowConfiguration
    ) throws(CheckpointError) {
        let d = c.width
        self.modulation = try w[modulation][1].linear(inputs: c.timeWidth, outputs: 6 * d)
        let a = w["attn"]
        query = try a[attention + "q"].linear(inputs: d, outputs: d)
        key = try a[attention + "k"].linear(inputs: d, outputs: d)
        value = try a[attention + "v"].linear(inputs: d, outputs: d)
        output = try a[attention + "o"].linear(inputs: d, outputs: d)
        let f = w[feedForward]
        gate = try f["c_fc1"].linear(inputs: d, outputs: c.hiddenWidth)
        up = try f["c_fc2"].linear(inputs: d, outputs: c.hiddenWidth)
        down = try f["c_proj"].linear(inputs: c.hiddenWidth, outputs: d)
        width = d
        heads = c.heads
    }

    /// Modulation, query, key and value of the stream; the layer norms of query and key have no weights.
    struct Prepared {
        let modulation: ModulationParts
        let query: Tensor
        let key: Tensor
        let value: Tensor
    }

    func prepared(_ x: Tensor, vector: Tensor, on b: any Backend) throws -> Prepared {
        let mod = try ModulationParts(vector, modulation, width: width, on: b)
        let n = try b.layerNorm(
            x, weight: nil, bias: nil, epsilon: 1e-5, modulation: mod.modulation(0), result: .compute)
        return Prepared(
            modulation: mod, query: try normalised(b.linear(n, query), on: b),
            key: try normalised(b.linear(n, key), on: b),
            value: try b.linear(n, value, LinearEpilogue(result: .compute)))
    }

    /// Layer norm over every head.
    private func normalised(_ x: Tensor, on b: any Backend) throws -> Tensor {
        let rows = try b.contiguous(x).reshaped([x.shape[0], x.shape[1] * heads, width / heads])
        return try b.layerNorm(rows, weight: nil, bias: nil, epsilon: 1e-5, modulation: nil, result: .compute)
            .reshaped(x.shape)
    }

    /// The stream after the layer. The attention's part reaches it only through the feed-forward layer: its sum with
    /// the stream is normalised and not kept (families-sd3-aura.md §3).
    func finished(_ stream: Tensor, attention: Tensor, _ prepared: Prepared, on b: any Backend) throws -> Tensor {
        let mod = prepared.modulation
        let sum = try b.linear(attention, output, LinearEpilogue(residual: Residual(stream, gate: mod.gate(0))))
        let n = try b.layerNorm(
            sum, weight: nil, bias: nil, epsilon: 1e-5, modulation: mod.modulation(3), result: .compute)
        let u = try b.gated(b.linear(n, gate), b.linear(n, up), .silu, result: .compute)
        return try b.linear(u, down, LinearEpilogue(residual: Residual(stream, gate: mod.gate(3))))
    }
}

/// Attention over text and picture with separate weights.
struct AuraFlowDoubleLayer: Sendable {
    private let text: AuraFlowStream
    private let image: AuraFlowStream
    private let heads: Int

    init(_ w: Weights, _ c: AuraFlowConfiguration) throws(CheckpointError) {
        text = try AuraFlowStream(w, attention: "w1", modulation: "modC", feedForward: "mlpC", c)
        image = try AuraFlowStream(w, attention: "w2", modulation: "modX", feedForward: "mlpX", c)
        heads = c.heads
    }

    /// - Parameter vector: SiLU of the time vector, `[batch, time width]`.
    func callAsFunction(
        _ img: Tensor, _ txt: Tensor, vector: Tensor, on b: any Backend
    ) throws -> (img: Tensor, txt: Tensor) {
        let x = try image.prepared(img, vector: vector, on: b)
        let c = try text.prepared(txt, vector: vector, on: b)
        func joined(_ first: Tensor, _ second: Tensor) throws -> Tensor {
            try b.joinHeads([HeadPart(first), HeadPart(second)], heads: heads, epsilon: 1e-5, rotary: nil)
        }
        let a = try b.attention(
            joined(c.query, x.query), joined(c.key, x.key), joined(c.value, x.value), heads: heads,
            scale: 1 / Float(AuraFlowConfiguration.headWidth).squareRoot(), mask: .none, result: .compute)
        let count = txt.shape[1]
        return (
            try image.finished(img, attention: tokens(a, count..<a.shape[1], on: b), x, on: b),
            try text.finished(txt, attention: tokens(a, 0..<count, on: b), c, on: b)
        )
    }
}

/// The same over one sequence with one set of weights.
struct AuraFlowSingleLayer: Sendable {
    private let stream: AuraFlowStream
    private let heads: Int

    init(_ w: Weights, _ c: AuraFlowConfiguration) throws(CheckpointError) {
        stream = try AuraFlowStream(w, attention: "w1", modulation: "modCX", feedForward: "mlp", c)
        heads = c.heads
    }

    func callAsFunction(_ x: Tensor, vector: Tensor, on b: any Backend) throws -> Tensor {
        let s = try stream.prepared(x, vector: vector, on: b)
        let a = try b.attention(
            s.query, s.key, s.value, heads: heads, scale: 1 / Float(AuraFlowConfiguration.headWidth).squareRoot(),
            mask: .none, result: .compute)
        return try stream.finished(x, attention: a, s, on: b)
    }
}
