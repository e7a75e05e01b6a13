import Diffusion
import NodeKit
import Tensors

/// The entries of both: what they predict is averaged.
struct ConditioningCombine: Node {
    static let info = NodeInfo("ConditioningCombine", displayName: "Conditioning (Combine)", category: "conditioning")

    @Input(.named("conditioning_1")) var conditioning1: ConditioningValue
    @Input(.named("conditioning_2")) var conditioning2: ConditioningValue
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = ConditioningValue(conditioning1.entries + conditioning2.entries)
    }
}

/// Every entry mixed with another text's first one (families-unet-sampling.md §12).
struct ConditioningAverage: Node {
    static let info = NodeInfo("ConditioningAverage", category: "conditioning")

    @Input var conditioningTo: ConditioningValue
    @Input var conditioningFrom: ConditioningValue
    @Input(.range(0.0...1.0), .step(0.01)) var conditioningToStrength = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let other = try firstEntry(conditioningFrom, "conditioning_from", context)
        let (share, rest) = (Float(conditioningToStrength), Float(1 - conditioningToStrength))
        func mixed(_ a: Tensor, _ b: Tensor) throws -> Tensor {
            try HostMath.zip(a, b) { $0 * share + $1 * rest }
        }
        result = try conditioningTo.mapEntries { entry in
            let tokens = entry.context
            entry.context = try mixed(tokens, fitted(other.context, to: tokens.shape))
            if let pooled = other[PooledOutput.self] {
                entry[PooledOutput.self] = try mixed(entry[PooledOutput.self] ?? pooled, pooled)
            }
        }
    }
}

/// Every entry with another text's first one behind it: more tokens.
struct ConditioningConcat: Node {
    static let info = NodeInfo("ConditioningConcat", displayName: "Conditioning (Concat)", category: "conditioning")

    @Input var conditioningTo: ConditioningValue
    @Input var conditioningFrom: ConditioningValue
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let other = try firstEntry(conditioningFrom, "conditioning_from", context)
        result = try conditioningTo.mapEntries { entry in
            entry.context = try HostMath.concatenate([entry.context, other.context], axis: 1)
        }
    }
}

/// The first entry, the only one that is used.
private func firstEntry(
    _ conditioning: ConditioningValue, _ input: String, _ context: NodeContext
) throws -> ConditioningEntry {
    guard let first = conditioning.entries.first else { throw NodeError("input \"\(input)\": it has no entries") }
    if conditioning.entries.count > 1 {
        context.warn("input \"\(input)\" has \(conditioning.entries.count) entries; only the first is used")
    }
    return first
}

/// Tokens cut off, or zeros added behind them.
private func fitted(_ tokens: Tensor, to shape: Shape) throws -> Tensor {
    guard tokens.shape.rank == 3, shape.rank == 3, tokens.shape[2] == shape[2] else {
        throw NodeError(
            "texts of shapes \(shape) and \(tokens.shape) were not encoded by the same text encoders; use one CLIP for both"
        )
    }
    let (have, wanted) = (tokens.shape[1], shape[1])
    if have >= wanted { return try tokens.slice(axis: 1, 0..<wanted).asFloat32() }
    let rest = try Tensor.zeros([tokens.shape[0], wanted - have, tokens.shape[2]])
    return try HostMath.concatenate([tokens, rest], axis: 1)
}
