import CSampling
import Tensors

/// Brownian motion between the smallest and the largest σ of a schedule, whose increments depend only on the seed and
/// the interval: a dyadic tree of Brownian bridges (Li et al. 2020, "Scalable gradients for stochastic differential
/// equations"; spec: families-unet-sampling.md §17). All 64 bits of the seed count.
///
/// An increment costs up to two draws of normal numbers per level, about 20 levels; the nodes of the last increment are
/// kept, because the next one shares an end point with it.
final class BrownianTree {
    /// A node is known by its level and its number on it.
    private struct Key: Hashable {
        var number: UInt64
        var depth: UInt64
    }
    private struct Node {
        var start: Double
        var end: Double
        var key: Key
        var increment: Tensor
    }
    /// Where to stop whatever the interval: the key is a 64-bit number.
    private static let maximumDepth: UInt64 = 62

    private let shape: Shape
    private let entropy: UInt64
    private let low: Double
    private let high: Double
    private let root: Node
    /// The left children's increments of the nodes that were split for the last query.
    private var splits: [Key: Tensor] = [:]
    private var usedSplits: [Key: Tensor] = [:]

    /// - Parameters:
    ///   - low: smallest positive σ; `high`: largest σ.
    ///   - seed: the run's.
    init(shape: Shape, low: Float, high: Float, seed: UInt64) throws {
        guard low.isFinite, high.isFinite, low < high else {
            throw SamplingError(
                .schedule,
                "Brownian noise needs at least two different noise levels; the schedule runs from \(high) to \(low)")
        }
        self.shape = shape
        entropy = seed
        self.low = Double(low)
        self.high = Double(high)
        let scale = Float((Double(high) - Double(low)).squareRoot())
        var generator = TorchGenerator(seed: SeedSequence(entropy: seed).seed)
        let value = try Elementwise.map(generator.normal(shape)) { $0 * scale }
        root = Node(
            start: cs_round_six_decimals(self.low), end: cs_round_six_decimals(self.high),
            key: Key(number: 0, depth: 0), increment: value)
    }

    /// The normalised noise between two levels, as the samplers use it: W(from) − W(to) over √|to − from| for
    /// descending levels with the sign the reference has (negative).
    func noise(from: Float, to: Float) throws -> Tensor {
        let sum = try increment(Double(min(from, to)), Double(max(from, to)))
        let length = abs(to - from).squareRoot()
        let sign: Float = from > to ? -1 : 1
        return try Elementwise.map(sum) { $0 * sign / length }
    }

    /// W(end) − W(start).
    private func increment(_ start: Double, _ end: Double) throws -> Tensor {
        let p = cs_round_six_decimals(min(max(start, low), high))
        let q = cs_round_six_decimals(min(max(end, low), high))
        guard p < q else { return try Tensor.zeros(shape) }
        usedSplits = [:]
        var parts: [Tensor] = []
        try collect(root, p, q, into: &parts)
        splits = usedSplits
        usedSplits = [:]
        guard var total = parts.first else { return try Tensor.zeros(shape) }
        for part in parts.dropFirst() { total = try Elementwise.zip(total, part) { $0 + $1 } }
        return total
    }

    private func collect(_ node: Node, _ p: Double, _ q: Double, into parts: inout [Tensor]) throws {
        let middle = cs_round_six_decimals((node.start + node.end) / 2)
        let divisible = middle > node.start && middle < node.end && node.key.depth < Self.maximumDepth
        if (p == node.start && q == node.end) || !divisible {
            parts.append(node.increment)
            return
        }
        let left = try leftIncrement(of: node, middle)
        if p < middle {
            let child = Node(
                start: node.start, end: middle, key: Key(number: node.key.number << 1, depth: node.key.depth + 1),
                increment: left)
            try collect(child, p, min(q, middle), into: &parts)
        }
        if q > middle {
            let right = try Elementwise.zip(node.increment, left) { $0 - $1 }
            let child = Node(
                start: middle, end: node.end, key: Key(number: node.key.number << 1 | 1, depth: node.key.depth + 1),
                increment: right)
            try collect(child, max(p, middle), q, into: &parts)
        }
    }

    /// The left part of a node's increment: the Brownian bridge at the middle.
    private func leftIncrement(of node: Node, _ middle: Double) throws -> Tensor {
        let value: Tensor
        if let known = splits[node.key] {
            value = known
        } else {
            let sequence = SeedSequence(entropy: entropy, spawnKey: [node.key.number, node.key.depth])
            var generator = TorchGenerator(seed: sequence.seed)
            let z = try generator.normal(shape)
            let leftLength = middle - node.start
            let rightLength = node.end - middle
            let inverse = 1 / (node.end - node.start)
            let deviation = Float((leftLength * rightLength * inverse).squareRoot())
            let (length, share) = (Float(leftLength), Float(inverse))
            value = try Elementwise.zip(node.increment, z) { length * $0 * share + deviation * $1 }
        }
        usedSplits[node.key] = value
        return value
    }
}
