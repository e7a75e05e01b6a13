import Foundation
public import Tensors

/// A plain conformer of ``Backend``: every operation written out in double precision, slow and obvious. What the
/// other backends are tested against, and the proof that the protocol needs no particular hardware.
public struct ReferenceBackend: Backend {
    public let name = "reference"
    public let computeType = DType.float32

    public init() {}

    // MARK: Tables and element-wise operations

    public func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor {
        try checked(table.shape.rank == 2, "gather: the table must be [rows, width], found \(table.shape)")
        let (rows, width) = (table.shape[0], table.shape[1])
        try checked(ids.allSatisfy { $0 >= 0 && $0 < rows }, "gather: rows \(ids) of \(rows)")
        let values = try heldValues(table, heldAs)
        return try tensor(ids.flatMap { values[$0 * width..<($0 + 1) * width] }, [ids.count, width])
    }

    public func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try zip(a, b, +) }
    public func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try zip(a, b, *) }

    private func zip(_ a: Tensor, _ b: Tensor, _ body: (Double, Double) -> Double) throws(TensorError) -> Tensor {
        let (x, y) = (try values(a), try values(b.broadcast(to: a.shape)))
        return try tensor(x.indices.map { body(x[$0], y[$0]) }, a.shape)
    }

    public func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor {
        try tensor(values(x).map { activated($0, activation) }, x.shape)
    }

    public func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor {
        try checked(gate.shape == up.shape, "gated: \(gate.shape) and \(up.shape)")
        let (x, y) = (try values(gate), try values(up))
        return try tensor(x.indices.map { activated(x[$0], activation) * y[$0] }, gate.shape)
    }

    public func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor {
        try checked(axis >= 0, "concatenate: axis \(axis)")
        do {
            return try HostMath.concatenate(parts, axis: axis)
        } catch let error as TensorError {
            throw error
        } catch {
            throw TensorError(.shapeMismatch, "\(error)")
        }
    }

    private func activated(_ x: Double, _ activation: Activation) -> Double {
        switch activation {
        case .identity: x
        case .silu: x / (1 + exp(-x))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .gelu: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case .quickGelu: x / (1 + exp(-1.702 * x))
        case .relu: max(x, 0)
        case .leakyRelu: x > 0 ? x : 0.2 * x
        }
    }

    // MARK: Linear layers

    public func linear(
        _ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue
    ) throws(TensorError) -> Tensor {
        try checked(weight.matrix.shape.rank == 2, "linear: weight \(weight.matrix.shape)")
        try checked(!x.isEmpty && x[0].shape.rank >= 1, "linear: no operand")
        let (outputs, inputs) = (weight.outputs, weight.inputs)
        let joined = x.count == 1 ? x[0] : try concatenate(x, axis: x[0].shape.rank - 1)
        try checked(joined.shape.last == inputs, "linear: \(x.map(\.shape)) for a weight \(weight.matrix.shape)")
        var matrix = try heldValues(weight.matrix, weight.heldAs).map { $0 * Double(weight.scale) }
        for adapter in weight.adapters {
            let rank = adapter.down.shape.rank == 2 ? adapter.down.shape[0] : -1
            try checked(
                rank >= 0 && adapter.down.shape == [rank, inputs] && adapter.up.shape == [adapter.rows.count, rank]
                    && adapter.rows.lowerBound >= 0 && adapter.rows.upperBound <= outputs,
                "linear: adapter \(adapter.down.shape), \(adapter.up.shape), rows \(adapter.rows)")
            let (down, up) = (try values(adapter.down), try values(adapter.up))
            for (index, row) in adapter.rows.enumerated() {
                for column in 0..<inputs {
                    var sum = 0.0
                    for r in 0..<rank { sum += up[index * rank + r] * down[r * inputs + column] }
                    matrix[row * inputs + column] += Double(adapter.factor) * sum
                }
            }
        }
        let bias = try weight.bias.map { b throws(TensorError) in try values(b) }
        try checked(bias == nil || bias?.count == outputs, "linear: bias of \(bias?.count ?? 0) for \(outputs)")
        let rows = try values(joined)
        for block in x {
            try checked(
                block.shape.rank == x[0].shape.rank
                    && block.shape.replacing(block.shape.rank - 1, with: 0)
                        == x[0].shape.replacing(block.shape.rank - 1, with: 0),
                "linear: \(x.map(\.shape))")
        }
        let shape = Shape(joined.shape.array.dropLast() + [outputs])
        let tokens = Shape(Array(joined.shape.array.dropLast())).count
        let batch = shape.rank > 1 ? shape[0] : 1
        var residual: [Double]?
        var gate: [Double]?
        if let given = epilogue.residual {
            try checked(given.stream.shape == shape, "linear: residual \(given.stream.shape), expected \(shape)")
            residual = try values(given.stream)
            if let factor = given.gate { gate = try perItem(factor, batch, outputs) }
        }
        var result = [Double](repeating: 0, count: tokens * outputs)
        for token in 0..<tokens {
            for output in 0..<outputs {
                var sum = bias?[output] ?? 0
                for input in 0..<inputs { sum += rows[token * inputs + input] * matrix[output * inputs + input] }
                var value = activated(sum, epilogue.activation)
                if let gate { value *= gate[token / (tokens / batch) * outputs + output] }
                if let residual { value += residual[token * outputs + output] }
                result[token * outputs + output] = value
            }
        }
        return try tensor(result, shape)
    }

    // MARK: Norms

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try norm(x, weight, bias, epsilon, modulation, centred: true)
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try norm(x, weight, nil, epsilon, modulation, centred: false)
    }

    private func norm(
        _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, _ epsilon: Float, _ modulation: Modulation?, centred: Bool
    ) throws(TensorError) -> Tensor {
        try checked(x.shape.rank >= 1, "norm of a scalar")
        let width = x.shape.last
        var all = try values(x)
        let weight = try weight.map { w throws(TensorError) in try values(w) }
        let bias = try bias.map { b throws(TensorError) in try values(b) }
        try checked((weight?.count ?? width) == width && (bias?.count ?? width) == width, "norm: weight or bias")
        let count = width == 0 ? 0 : all.count / width
        let batch = x.shape.rank > 1 ? x.shape[0] : 1
        try checked(modulation == nil || x.shape.rank > 1, "norm: modulation needs a batch axis")
        let scale = try modulation.map { m throws(TensorError) in try perItem(m.scale, batch, width) }
        let shift = try modulation?.shift.map { s throws(TensorError) in try perItem(s, batch, width) }
        for row in 0..<count {
            let range = row * width..<(row + 1) * width
            let mean = centred ? all[range].reduce(0, +) / Double(width) : 0
            let variance = all[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let factor = 1 / (variance + Double(epsilon)).squareRoot()
            let item = row / (count / batch) * width
            for column in 0..<width {
                var value = (all[range.lowerBound + column] - mean) * factor
                if let weight { value *= weight[column] }
                if let bias { value += bias[column] }
                if let scale { value *= 1 + scale[item + column] }
                if let shift { value += shift[item + column] }
                all[range.lowerBound + column] = value
            }
        }
        return try tensor(all, x.shape)
    }

    // MARK: Small helpers

    func checked(_ condition: Bool, _ message: @autoclosure () -> String) throws(TensorError) {
        if !condition { throw TensorError(.shapeMismatch, message()) }
    }

    func values(_ x: Tensor) throws(TensorError) -> [Double] {
        do {
            return try x.floats().map(Double.init)
        } catch let error as TensorError {
            throw error
        } catch {
            throw TensorError(.unsupported, "\(error)")
        }
    }

    func heldValues(_ x: Tensor, _ type: DType?) throws(TensorError) -> [Double] {
        guard let type else { return try values(x) }
        return try values(x.converted(to: type))
    }

    func perItem(_ x: Tensor, _ batch: Int, _ width: Int) throws(TensorError) -> [Double] {
        try checked(
            x.shape.rank == 2 && x.shape[1] == width && (x.shape[0] == batch || x.shape[0] == 1),
            "\(x.shape), expected [\(batch), \(width)]")
        return try values(x.broadcast(to: [batch, width]))
    }

    func tensor(_ values: [Double], _ shape: Shape) throws(TensorError) -> Tensor {
        try Tensor(values.map(Float.init), shape: shape)
    }
}
