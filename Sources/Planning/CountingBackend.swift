import Synchronization
public import Tensors

/// A backend that does nothing and counts what would be done.
///
/// The models' own code runs on it, so that whatever a family, a sampler or a ControlNet does is counted as it is, and
/// no formula can differ from it. Of weights only the shapes are read. Its results are zeros in memory that takes no
/// room; how much it would take is counted too.
public final class CountingBackend: Backend {
    public let name = "counting"
    /// Models that compute in float32 round patched weights, which would read them; so the other type is claimed.
    public let computeType = DType.bfloat16
    /// The type of operands in the run that is planned.
    private let operandType: DType
    private let state = Mutex(State())
    let ledger = MemoryLedger()

    private struct State {
        var work = CountedWork()
        /// Patched weights, which a float32 run copies.
        var patched: [Patched: Int] = [:]
    }

    private struct Patched: Hashable {
        var storage: ObjectIdentifier
        var offset: Int
    }

    /// - Parameter precision: that of the run that is planned.
    public init(precision: DType) { operandType = precision == .bfloat16 ? .bfloat16 : .float32 }

    /// All that was counted so far.
    public var work: CountedWork { state.withLock { $0.work } }

    /// Bytes of weights that LoRAs change, of which a float32 run holds changed copies.
    public var patchedBytes: Int {
        operandType == .float32 ? state.withLock { $0.patched.values.reduce(0, +) } : 0
    }

    // MARK: Products

    public func linear(
        _ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue
    ) throws(TensorError) -> Tensor {
        guard let first = x.first, first.shape.rank >= 1, weight.matrix.shape.rank == 2 else {
            throw TensorError(.shapeMismatch, "linear: \(x.map(\.shape)) for a weight \(weight.matrix.shape)")
        }
        let inputs = x.reduce(0) { $0 + $1.shape.last }
        guard inputs == weight.inputs else {
            throw TensorError(
                .shapeMismatch, "linear: \(x.map(\.shape)) for a weight \(weight.matrix.shape)")
        }
        let rows = first.count / max(1, first.shape.last)
        count {
            $0.products += 2 * Double(rows) * Double(inputs) * Double(weight.outputs)
            for adapter in weight.adapters where adapter.down.shape.rank == 2 {
                $0.products +=
                    2 * Double(rows) * Double(adapter.down.shape[0]) * Double(inputs + adapter.rows.count)
            }
        }
        if !weight.adapters.isEmpty {
            let key = Patched(storage: ObjectIdentifier(weight.matrix.storage), offset: weight.matrix.offset)
            let bytes = weight.matrix.count * weight.matrix.dtype.byteCount
            state.withLock { $0.patched[key] = bytes }
        }
        return try result(Shape(first.shape.array.dropLast() + [weight.outputs]), epilogue.result)
    }

    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor {
        guard q.shape.rank == 3, k.shape.rank == 3, k.shape == v.shape, q.shape[2] == k.shape[2] else {
            throw TensorError(.shapeMismatch, "attention: \(q.shape), \(k.shape), \(v.shape)")
        }
        count { $0.attention += 4 * Double(q.count) * Double(k.shape[1]) }
        return try self.result(q.shape, result)
    }

    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor {
        guard x.shape.rank == 4, kernel.shape.rank == 4, kernel.shape[1] == x.shape[3], stride > 0 else {
            throw TensorError(.shapeMismatch, "convolution: \(x.shape) with \(kernel.shape)")
        }
        let (tall, wide) = (
            x.shape[1] + padding.top + padding.bottom - kernel.shape[2],
            x.shape[2] + padding.left + padding.right - kernel.shape[3]
        )
        guard tall >= 0, wide >= 0 else {
            throw TensorError(.shapeMismatch, "convolution: \(x.shape) is smaller than \(kernel.shape)")
        }
        let shape = Shape([x.shape[0], tall / stride + 1, wide / stride + 1, kernel.shape[0]])
        count { $0.convolutions += 2 * Double(shape.count) * Double(kernel.count / max(1, kernel.shape[0])) }
        return try result(shape, .full)
    }

    // MARK: Everything else

    public func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor {
        guard let first = parts.first?.tokens.shape, parts.allSatisfy({ $0.tokens.shape.rank == 3 }) else {
            throw TensorError(.shapeMismatch, "joinHeads: no parts")
        }
        let tokens = parts.reduce(0) { $0 + $1.tokens.shape[1] }
        return try moved([first[0], tokens, first[2]], .compute, operands: 1)
    }

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { try moved(x.shape, result, operands: 1) }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { try moved(x.shape, result, operands: 1) }

    public func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor { try moved(x.shape, .full, operands: 2) }

    public func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor {
        guard x.shape.rank == 4, Shape.checkedCount([x.shape[0], height, width, x.shape[3], 4]) != nil else {
            throw TensorError(.shapeMismatch, "resizeNearest: \(x.shape) to \(height) × \(width)")
        }
        return try moved([x.shape[0], height, width, x.shape[3]], .full, operands: 1)
    }

    public func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor {
        guard table.shape.rank == 2, ids.allSatisfy({ (0..<table.shape[0]).contains($0) }) else {
            throw TensorError(.shapeMismatch, "gather: \(ids.count) rows of \(table.shape)")
        }
        return try moved([ids.count, table.shape[1]], .full, operands: 1)
    }

    public func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try moved(a.shape, .full, operands: 2) }
    public func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try moved(a.shape, .full, operands: 2)
    }
    public func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor {
        try moved(x.shape, result, operands: 1)
    }
    public func parametricRelu(_ x: Tensor, slopes: Tensor) throws(TensorError) -> Tensor {
        try moved(x.shape, .full, operands: 1)
    }
    public func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor { try moved(gate.shape, result, operands: 2) }

    public func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor {
        guard let first = parts.first?.shape, axis >= 0, axis < first.rank,
            parts.allSatisfy({ $0.shape.rank == first.rank })
        else { throw TensorError(.shapeMismatch, "concatenate: \(parts.map(\.shape)) along axis \(axis)") }
        return try moved(
            first.replacing(axis, with: parts.reduce(0) { $0 + $1.shape[axis] }), .full, operands: 1)
    }

    public func contiguous(_ x: Tensor) throws(TensorError) -> Tensor {
        if x.isContiguous && x.dtype == .float32 { return x }
        return try moved(x.shape, .full, operands: 1)
    }

    public func host(_ x: Tensor) throws(TensorError) -> Tensor {
        try x.storage is PhantomStorage ? contiguous(x) : x.asFloat32()
    }

    // MARK: Counting

    private func count(_ change: (inout CountedWork) -> Void) { state.withLock { change(&$0.work) } }

    /// An operation that reads `operands` tensors of the size of its result and writes one.
    private func moved(_ shape: Shape, _ type: ResultType, operands: Int) throws(TensorError) -> Tensor {
        count { $0.traffic += 4 * Double(shape.count) * Double(operands + 1) }
        return try result(shape, type)
    }

    private func result(_ shape: Shape, _ type: ResultType) throws(TensorError) -> Tensor {
        let dtype: DType =
            switch type {
            case .full: .float32
            case .compute: operandType
            }
        guard let elements = Shape.checkedCount(shape.array + [dtype.byteCount]) else {
            throw TensorError(.outOfMemory, "a tensor of shape \(shape) cannot be planned")
        }
        return try Tensor(
            storage: PhantomStorage(byteCount: elements, ledger: ledger), dtype: dtype, shape: shape)
    }
}
