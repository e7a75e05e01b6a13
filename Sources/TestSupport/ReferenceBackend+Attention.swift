import Foundation
public import Tensors

extension ReferenceBackend {
    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor {
        try checked(
            q.shape.rank == 3 && k.shape.rank == 3 && v.shape == k.shape && k.shape[0] == q.shape[0]
                && k.shape[2] == q.shape[2] && heads > 0 && q.shape[2] % heads == 0,
            "attention: q \(q.shape), k \(k.shape), v \(v.shape), \(heads) heads")
        let (batch, queries, width, keys) = (q.shape[0], q.shape[1], q.shape[2], k.shape[1])
        let d = width / heads
        let (qs, ks, vs) = (try values(q), try values(k), try values(v))
        var added: [Double]?
        if case .additive(let bias) = mask {
            added = try values(bias.broadcast(to: [batch, heads, queries, keys]))
        }
        var result = [Double](repeating: 0, count: q.count)
        for item in 0..<batch {
            for head in 0..<heads {
                for query in 0..<queries {
                    let at = (item * queries + query) * width + head * d
                    var logits = [Double](repeating: -.infinity, count: keys)
                    for key in 0..<keys {
                        let other = (item * keys + key) * width + head * d
                        var sum = 0.0
                        for j in 0..<d { sum += qs[at + j] * ks[other + j] }
                        sum *= Double(scale)
                        if case .causal = mask, key > query { continue }
                        if let added { sum += added[((item * heads + head) * queries + query) * keys + key] }
                        logits[key] = sum
                    }
                    let top = logits.max() ?? 0
                    // A query that sees no key has no weights to average with: zeros.
                    if top == -.infinity { continue }
                    let weights = logits.map { exp($0 - top) }
                    let total = weights.reduce(0, +)
                    for key in 0..<keys {
                        for j in 0..<d {
                            result[at + j] += weights[key] / total * vs[(item * keys + key) * width + head * d + j]
                        }
                    }
                }
            }
        }
        return try tensor(result, q.shape)
    }

    public func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor {
        try checked(!parts.isEmpty && parts[0].tokens.shape.rank == 3, "joinHeads: no parts")
        let width = parts[0].tokens.shape[2]
        try checked(heads > 0 && width % heads == 0, "joinHeads: \(width) in \(heads) heads")
        let d = width / heads
        var normed: [Tensor] = []
        for part in parts {
            let tokens = try contiguous(part.tokens)
            try checked(tokens.shape.rank == 3 && tokens.shape[2] == width, "joinHeads: \(tokens.shape)")
            let (batch, count) = (tokens.shape[0], tokens.shape[1])
            let split = try tokens.reshaped([batch, count, heads, d])
            let scaled =
                part.norm == nil
                ? split : try rmsNorm(split, weight: part.norm, epsilon: epsilon, modulation: nil, result: .full)
            normed.append(try scaled.reshaped([batch, count, width]))
        }
        let joined = try concatenate(normed, axis: 1)
        guard let rotary else { return joined }
        let (batch, count) = (joined.shape[0], joined.shape[1])
        let expected: Shape = [count, d / 2]
        try checked(
            d % 2 == 0 && rotary.cosine.shape == expected && rotary.sine.shape == expected,
            "joinHeads: rotary tables \(rotary.cosine.shape), expected \(expected)")
        let (cosine, sine) = (try values(rotary.cosine), try values(rotary.sine))
        var all = try values(joined)
        for row in 0..<batch * count {
            for head in 0..<heads {
                for j in 0..<d / 2 {
                    let start = row * width + head * d
                    let (first, second) =
                        rotary.pairing == .interleaved
                        ? (start + 2 * j, start + 2 * j + 1) : (start + j, start + j + d / 2)
                    let (a, b) = (all[first], all[second])
                    let (c, s) = (cosine[row % count * (d / 2) + j], sine[row % count * (d / 2) + j])
                    all[first] = a * c - b * s
                    all[second] = a * s + b * c
                }
            }
        }
        return try tensor(all, joined.shape)
    }
}
