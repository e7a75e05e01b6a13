import Tensors

/// The attention of FLUX's blocks over text and image tokens, with or without a bias on stretches of the text.
struct FluxAttention: Sendable {
    /// Queries that see the keys alike.
    private struct Segment: Sendable {
        let queries: Range<Int>
        /// What is added to every key's logit `[1, 1, 1, keys]`; `nil`: nothing.
        let bias: Tensor?
    }
    /// All queries in order; empty where there is no bias at all.
    private let segments: [Segment]

    /// Attention without bias.
    static let plain = FluxAttention(segments: [])

    private init(segments: [Segment]) { self.segments = segments }

    /// - Parameters:
    ///   - stretches: of the text tokens. Queries of the picture and of text before a stretch see it with its bias; its
    ///     own and later text tokens see it as it is.
    ///   - text: number of text tokens, which come first; `total` of all.
    init(_ stretches: [StyleStretch], text: Int, total: Int, on b: any Backend) throws {
        let inside = stretches.filter { $0.start >= 0 && $0.count > 0 && $0.count <= text - $0.start && $0.bias != 0 }
        if inside.isEmpty {
            segments = []
            return
        }
        let borders = Set([0, text] + inside.flatMap { [$0.start, $0.start + $0.count] }).sorted()
        var ranges = zip(borders, borders.dropFirst()).map { $0..<$1 }
        if total > text { ranges.append(text..<total) }
        segments = try ranges.map { range in
            var row = [Float](repeating: 0, count: total)
            var isBiased = false
            for stretch in inside where range.lowerBound >= text || range.upperBound <= stretch.start {
                for key in stretch.start..<stretch.start + stretch.count { row[key] += stretch.bias }
                isBiased = true
            }
            return Segment(
                queries: range, bias: isBiased ? try b.place(Tensor(row, shape: [1, 1, 1, total])) : nil)
        }
    }

    /// q, k, v `[batch, tokens, width]` → `[batch, tokens, width]`.
    func callAsFunction(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, on b: any Backend) throws -> Tensor {
        let scale = 1 / Float(q.shape[2] / heads).squareRoot()
        if segments.isEmpty {
            return try b.attention(q, k, v, heads: heads, scale: scale, mask: .none, result: .compute)
        }
        let keys = k.shape[1]
        return try b.concatenate(
            segments.map { segment in
                let mask = try segment.bias.map {
                    // One row for all queries: nothing of the size queries × keys is made.
                    AttentionMask.additive(try $0.broadcast(to: [1, 1, segment.queries.count, keys]))
                }
                return try b.attention(
                    q.slice(axis: 1, segment.queries), k, v, heads: heads, scale: scale, mask: mask ?? .none,
                    result: .compute)
            }, axis: 1)
    }
}
