import Checkpoints
import Glibc
import Tensors
import Text

/// The T5 v1.1 encoder (families-sd3-aura.md §6.2): RMS norms, relative position bias, gated feed-forward, no biases.
struct T5Encoder: Sendable {
    struct Layer: Sendable {
        let attentionNorm: Tensor
        let query: LinearWeight
        let key: LinearWeight
        let value: LinearWeight
        let output: LinearWeight
        /// `[32, heads]`, if the block has its own.
        let positionBias: Tensor?
        let feedForwardNorm: Tensor
        let gate: LinearWeight
        let up: LinearWeight
        let down: LinearWeight
    }
    let tokens: Tensor
    let layers: [Layer]
    let finalNorm: Tensor
    let width: Int
    let heads: Int
    let heldAs: DType?

    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("encoder.block.0.layer.0.SelfAttention.q.weight")
    }

    /// Whether the keys are those of Pile-T5: a position table in every block (as umT5), and a vocabulary of 32,000
    /// pieces rather than umT5's 256,000.
    static func recognisesPile(_ source: WeightSource) -> Bool {
        recognises(source) && source.contains("encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight")
            && (source.shape("shared.weight")?.first ?? 0) < 100_000
    }

    init(_ source: WeightSource) throws(CheckpointError) {
        let w = Weights(source)
        func need(_ key: String) throws(CheckpointError) -> [Int] {
            guard let shape = source.shape(key), shape.count == 2 else {
                throw CheckpointError(.missingKey, "\(source.name): the matrix \"\(key)\" is missing")
            }
            return shape
        }
        let d = try need("shared.weight")[1]
        let first = "encoder.block.0.layer.0.SelfAttention."
        let inner = try need(first + "q.weight")[0]
        heads = try need(first + "relative_attention_bias.weight")[1]
        guard heads > 0, inner % heads == 0 else {
            throw CheckpointError(
                .shapeMismatch, "\(source.name): \(inner) rows of q do not divide into \(heads) heads")
        }
        let feedForward = try need("encoder.block.0.layer.1.DenseReluDense.wi_0.weight")[0]
        width = d
        heldAs = source.heldAs
        tokens = try w["shared"].tensor("weight", [-1, d])
        var layers: [Layer] = []
        for i in 0..<w.count("encoder.block") {
            let attention = w["encoder.block"][i]["layer"][0]
            let dense = w["encoder.block"][i]["layer"][1]
            let a = attention["SelfAttention"]
            let f = dense["DenseReluDense"]
            layers.append(
                Layer(
                    attentionNorm: try attention["layer_norm"].vector("weight", d),
                    query: try a["q"].linear(inputs: d, outputs: inner),
                    key: try a["k"].linear(inputs: d, outputs: inner),
                    value: try a["v"].linear(inputs: d, outputs: inner),
                    output: try a["o"].linear(inputs: inner, outputs: d),
                    positionBias: a.contains("relative_attention_bias.weight")
                        ? try a["relative_attention_bias"].tensor("weight", [32, heads]) : nil,
                    feedForwardNorm: try dense["layer_norm"].vector("weight", d),
                    gate: try f["wi_0"].linear(inputs: d, outputs: feedForward),
                    up: try f["wi_1"].linear(inputs: d, outputs: feedForward),
                    down: try f["wo"].linear(inputs: feedForward, outputs: d)))
        }
        self.layers = layers
        finalNorm = try w["encoder.final_layer_norm"].vector("weight", d)
    }

    /// - Parameters:
    ///   - chunks: sequences of equal length.
    ///   - lastLayer: how many layers are run (all if `nil`); the result always gets the final norm.
    /// - Returns: `[chunks, tokens, width]`.
    func callAsFunction(_ chunks: [TokenChunk], layers count: Int? = nil, on b: any Backend) throws -> Tensor {
        let length = chunks.first?.count ?? 0
        var x = try TokenRows.embed(chunks, table: tokens, heldAs: heldAs, on: b)
        var mask = AttentionMask.none
        for layer in layers.prefix(count ?? layers.count) {
            if let table = layer.positionBias {
                mask = .additive(try b.place(bias(table, length)))
            }
            let h = try b.rmsNorm(x, weight: layer.attentionNorm, epsilon: 1e-6, modulation: nil, result: .compute)
            let compute = LinearEpilogue(result: .compute)
            let a = try b.attention(
                b.linear(h, layer.query, compute), b.linear(h, layer.key, compute), b.linear(h, layer.value, compute),
                heads: heads, scale: 1, mask: mask, result: .compute)
            x = try b.linear(a, layer.output, LinearEpilogue(residual: Residual(x)))
            let n = try b.rmsNorm(x, weight: layer.feedForwardNorm, epsilon: 1e-6, modulation: nil, result: .compute)
            let u = try b.gated(b.linear(n, layer.gate), b.linear(n, layer.up), .geluTanh, result: .compute)
            x = try b.linear(u, layer.down, LinearEpilogue(residual: Residual(x)))
        }
        return try b.rmsNorm(x, weight: finalNorm, epsilon: 1e-6, modulation: nil, result: .full)
    }

    /// Relative position bias `[1, heads, tokens, tokens]` from the bucket table.
    private func bias(_ table: Tensor, _ length: Int) throws -> Tensor {
        let held = try heldAs.map { try table.converted(to: $0) } ?? table
        let values = try held.floats()
        let heads = heads
        // One bucket per distance, not per pair.
        let buckets = (0..<max(2 * length - 1, 0)).map { Self.bucket($0 - (length - 1)) }
        return try Tensor.build([1, heads, length, length], of: Float.self) { out in
            for head in 0..<heads {
                let row = buckets.map { values[$0 * heads + head] }
                for q in 0..<length {
                    let start = (head * length + q) * length
                    for k in 0..<length { out[start + k] = row[k - q + length - 1] }
                }
            }
        }
    }

    /// The bucket of the distance key − query.
    static func bucket(_ distance: Int) -> Int {
        let side = distance > 0 ? 16 : 0
        let n = abs(distance)
        if n < 8 { return side + n }
        let scaled = log(Float(n) / 8) / log(Float(16)) * 8
        return side + min(15, 8 + Int(scaled))
    }
}
