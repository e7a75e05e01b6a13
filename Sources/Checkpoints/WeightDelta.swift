import Tensors

/// Something that is added to a weight, made when a layer asks for the weight (families-unet-sampling.md §15; LyCORIS:
/// Yeh et al. 2023, "Navigating Text-To-Image Customization").
public struct WeightDelta: Sendable {
    enum Form: Sendable {
        /// up · down.
        case lowRank(up: Tensor, down: Tensor)
        /// LoCon with a core: up · (mid ×₂ downᵀ), mid `[rank, rank, kh, kw]`.
        case core(up: Tensor, mid: Tensor, down: Tensor)
        /// LoHa: the element-wise product of two low-rank products, each with a core or without.
        case hadamard(first: (a: Tensor, b: Tensor, core: Tensor?), second: (a: Tensor, b: Tensor, core: Tensor?))
        /// LoKr: the Kronecker product of two matrices, each whole or in factors.
        case kronecker(first: Factors, second: Factors)
        case whole(Tensor)
    }
    /// A matrix, whole or as a product with an optional core.
    struct Factors: Sendable {
        var whole: Tensor?
        var a: Tensor?
        var b: Tensor?
        var core: Tensor?
    }
    let form: Form
    /// alpha / rank.
    let factor: Float

    /// The addition in row-major order, times the factor.
    func values() throws -> [Float] {
        var values: [Float]
        switch form {
        case .whole(let tensor): values = try tensor.floats()
        case .lowRank(let up, let down):
            values = try Self.product(Self.matrix(up), Self.matrix(down)).values
        case .core(let up, let mid, let down):
            values = try Self.withCore(a: Self.matrix(up), core: mid, b: Self.matrix(down), transposesA: false)
        case .hadamard(let first, let second):
            values = try Self.side(first)
            let other = try Self.side(second)
            guard values.count == other.count else { throw Self.mismatch("LoHa", values.count, other.count) }
            for i in values.indices { values[i] *= other[i] }
        case .kronecker(let first, let second): values = try Self.kronecker(first, second)
        }
        if factor != 1 { for i in values.indices { values[i] *= factor } }
        return values
    }

    private struct Matrix {
        var values: [Float]
        var rows: Int
        var columns: Int
    }

    private static func matrix(_ tensor: Tensor) throws -> Matrix {
        let rows = tensor.shape.rank == 0 ? 1 : tensor.shape[0]
        return Matrix(values: try tensor.floats(), rows: rows, columns: rows == 0 ? 0 : tensor.count / rows)
    }

    private static func product(_ a: Matrix, _ b: Matrix) throws -> Matrix {
        guard a.columns == b.rows else { throw mismatch("factors", a.columns, b.rows) }
        var result = [Float](repeating: 0, count: a.rows * b.columns)
        for i in 0..<a.rows {
            for r in 0..<a.columns {
                let weight = a.values[i * a.columns + r]
                for j in 0..<b.columns { result[i * b.columns + j] += weight * b.values[r * b.columns + j] }
            }
        }
        return Matrix(values: result, rows: a.rows, columns: b.columns)
    }

    /// Σ a[o, p] core[p, q, …] b[q, i] as `[o, i, …]`; `a` is `[p, o]` where it is transposed.
    private static func withCore(a: Matrix, core: Tensor, b: Matrix, transposesA: Bool) throws -> [Float] {
        let shape = core.shape
        guard shape.rank >= 2 else { throw mismatch("core", shape.rank, 4) }
        let (outer, inner) = (shape[0], shape[1])
        let spots = outer * inner == 0 ? 0 : core.count / (outer * inner)
        let rows = transposesA ? a.columns : a.rows
        guard (transposesA ? a.rows : a.columns) == outer, b.rows == inner else {
            throw mismatch("core", b.rows, inner)
        }
        let values = try core.floats()
        // half[p, i, …] = Σ_q core[p, q, …] b[q, i]
        var half = [Float](repeating: 0, count: outer * b.columns * spots)
        for p in 0..<outer {
            for q in 0..<inner {
                for i in 0..<b.columns {
                    let weight = b.values[q * b.columns + i]
                    for s in 0..<spots {
                        half[(p * b.columns + i) * spots + s] += weight * values[(p * inner + q) * spots + s]
                    }
                }
            }
        }
        let width = b.columns * spots
        var result = [Float](repeating: 0, count: rows * width)
        for o in 0..<rows {
            for p in 0..<outer {
                let weight = transposesA ? a.values[p * a.columns + o] : a.values[o * a.columns + p]
                for j in 0..<width { result[o * width + j] += weight * half[p * width + j] }
            }
        }
        return result
    }

    private static func side(_ side: (a: Tensor, b: Tensor, core: Tensor?)) throws -> [Float] {
        guard let core = side.core else { return try product(matrix(side.a), matrix(side.b)).values }
        return try withCore(a: matrix(side.a), core: core, b: matrix(side.b), transposesA: true)
    }

    private static func assembled(_ factors: Factors) throws -> (values: [Float], shape: [Int]) {
        if let whole = factors.whole { return (try whole.floats(), whole.shape.array) }
        guard let a = factors.a, let b = factors.b else { throw mismatch("LoKr", 0, 2) }
        if let core = factors.core {
            let values = try withCore(a: matrix(a), core: core, b: matrix(b), transposesA: true)
            return (values, [a.shape.last, b.shape.last] + core.shape.array.dropFirst(2))
        }
        let result = try product(matrix(a), matrix(b))
        return (result.values, [a.shape[0]] + b.shape.array.dropFirst())
    }

    /// first ⊗ second: the first is a matrix, the second may have further axes.
    private static func kronecker(_ first: Factors, _ second: Factors) throws -> [Float] {
        let (a, b) = (try assembled(first), try assembled(second))
        guard a.shape.count >= 2, b.shape.count >= 2 else { throw mismatch("LoKr", a.shape.count, 2) }
        let (m, n) = (a.shape[0], a.shape[1])
        let (p, q) = (b.shape[0], b.shape[1])
        let spots = b.shape.dropFirst(2).reduce(1, *)
        guard a.values.count == m * n, b.values.count == p * q * spots else { throw mismatch("LoKr", m * n, p * q) }
        var result = [Float](repeating: 0, count: m * p * n * q * spots)
        for i in 0..<m {
            for k in 0..<p {
                for j in 0..<n {
                    let weight = a.values[i * n + j]
                    let target = ((i * p + k) * n + j) * q * spots
                    let from = k * q * spots
                    for l in 0..<q * spots { result[target + l] = weight * b.values[from + l] }
                }
            }
        }
        return result
    }

    private static func mismatch(_ what: String, _ found: Int, _ expected: Int) -> CheckpointError {
        CheckpointError(.shapeMismatch, "the \(what) of a LoRA do not fit together (\(found) and \(expected))")
    }
}

/// DoRA (Liu et al. 2024): the changed weight V = W + delta is brought to a learned size, row by row or column by column.
public struct WeightRescaling: Sendable {
    /// One per output `[out, 1]`, or one per input `[1, in]`.
    let scale: Tensor

    /// W ← W + strength·(V·scale/norm − W), over rows of `columns` values.
    func apply(to values: inout [Float], delta: [Float], columns: Int, strength: Float) throws {
        let rows = columns == 0 ? 0 : values.count / columns
        let scales = try scale.floats()
        guard delta.count == values.count, rows > 0 else {
            throw CheckpointError(.shapeMismatch, "a DoRA of \(delta.count) elements does not fit \(values.count)")
        }
        var changed = values
        for i in changed.indices { changed[i] += delta[i] }
        if scales.count == rows {
            for row in 0..<rows {
                var sum = 0.0
                for j in row * columns..<(row + 1) * columns { sum += Double(values[j]) * Double(values[j]) }
                let factor = scales[row] / (Float(sum.squareRoot()) + Float.ulpOfOne)
                for j in row * columns..<(row + 1) * columns { changed[j] *= factor }
            }
        } else {
            // One factor per input; kernels have several values for each.
            guard !scales.isEmpty, columns % scales.count == 0 else {
                throw CheckpointError(
                    .shapeMismatch,
                    "a DoRA scale of \(scales.count) numbers fits neither \(rows) rows nor \(columns) columns")
            }
            let spots = columns / scales.count
            for input in scales.indices {
                var sum = 0.0
                for row in 0..<rows {
                    for s in 0..<spots {
                        let value = Double(changed[row * columns + input * spots + s])
                        sum += value * value
                    }
                }
                let factor = scales[input] / (Float(sum.squareRoot()) + Float.ulpOfOne)
                for row in 0..<rows {
                    for s in 0..<spots { changed[row * columns + input * spots + s] *= factor }
                }
            }
        }
        for i in values.indices { values[i] += strength * (changed[i] - values[i]) }
    }
}
