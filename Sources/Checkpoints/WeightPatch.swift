public import Tensors

/// A change to a weight, made by a LoRA file or the like.
public struct WeightPatch: Sendable {
    public enum Change: Sendable {
        /// Adds factor · up · down: up `[rows, rank]`, down `[rank, columns]`.
        case lowRank(down: Tensor, up: Tensor, factor: Float)
        /// Adds strength · tensor.
        case add(Tensor, strength: Float)
        /// Takes the place of the weight, whatever the strength.
        case replace(Tensor)
        /// Adds strength · delta; with a rescaling, moves by strength towards the rescaled sum.
        case delta(WeightDelta, rescaling: WeightRescaling?, strength: Float)
        /// own · weight + share · other, the other made when asked for (merged models).
        case sum(other: @Sendable () throws -> Tensor, own: Float, share: Float)
        /// Multiplies the weight.
        case scale(Float)
    }
    /// The rows it changes; `nil`: all.
    public var rows: Range<Int>?
    public var change: Change

    public init(rows: Range<Int>? = nil, _ change: Change) {
        self.rows = rows
        self.change = change
    }

    /// Applies the change to float32 values `[rows, columns]` in place.
    func apply(to values: inout [Float], columns: Int) throws {
        let start = (rows?.lowerBound ?? 0) * columns
        switch change {
        case .replace(let tensor):
            let new = try tensor.floats()
            guard start + new.count <= values.count else { throw Self.mismatch(new.count, values.count) }
            values.replaceSubrange(start..<start + new.count, with: new)
        case .add(let tensor, let strength):
            let delta = try tensor.floats()
            guard start + delta.count <= values.count else { throw Self.mismatch(delta.count, values.count) }
            for i in delta.indices { values[start + i] += strength * delta[i] }
        case .delta(let delta, let rescaling, let strength):
            let change = try delta.values()
            guard start + change.count <= values.count else { throw Self.mismatch(change.count, values.count) }
            if let rescaling {
                guard change.count == values.count else { throw Self.mismatch(change.count, values.count) }
                try rescaling.apply(to: &values, delta: change, columns: columns, strength: strength)
            } else {
                for i in change.indices { values[start + i] += strength * change[i] }
            }
        case .sum(let other, let own, let share):
            let new = try other().floats()
            guard new.count == values.count else { throw Self.mismatch(new.count, values.count) }
            for i in values.indices { values[i] = values[i] * own + new[i] * share }
        case .scale(let factor):
            for i in values.indices { values[i] *= factor }
        case .lowRank(let down, let up, let factor):
            let (rank, height) = (down.shape[0], up.shape[0])
            guard start + height * columns <= values.count else { throw Self.mismatch(height * columns, values.count) }
            guard down.shape.last == columns, up.count == height * rank else {
                throw Self.mismatch(height * down.shape.last, values.count)
            }
            let a = try down.floats()
            let b = try up.floats()
            var row = [Float](repeating: 0, count: columns)
            for i in 0..<height {
                for j in 0..<columns { row[j] = 0 }
                for r in 0..<rank {
                    let weight = b[i * rank + r]
                    for j in 0..<columns { row[j] += weight * a[r * columns + j] }
                }
                for j in 0..<columns { values[start + i * columns + j] += factor * row[j] }
            }
        }
    }

    private static func mismatch(_ found: Int, _ expected: Int) -> CheckpointError {
        CheckpointError(.shapeMismatch, "a patch of \(found) elements does not fit a weight of \(expected)")
    }
}
