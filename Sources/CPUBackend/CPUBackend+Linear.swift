internal import CKernels
public import Tensors

extension CPUBackend {
    public func linear(
        _ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue
    ) throws(TensorError) -> Tensor {
        try checkCancellation()
        let layer = try checkedLayer(x, weight, epilogue)
        let type = type(of: epilogue.result)
        defer { withExtendedLifetime(layer) {} }
        return try unsafe Tensor.buildBytes(layer.shape, dtype: type) { out throws(TensorError) in
            guard layer.tokens > 0, layer.outputs > 0 else { return }
            let output = unsafe ck_output(data: out.baseAddress, type: type.code)
            if layer.tokens <= Self.streamedTokens {
                try unsafe streamLinear(x, layer, to: output)
                return
            }
            if prefersLibrary(layer.weight) {
                try unsafe libraryLinear(x, layer, to: output)
            } else {
                try unsafe packedLinear(x, layer, to: output)
            }
        }
    }

    /// Up to this many rows of x a layer is bound by reading its weights, and a dot product per weight row is faster
    /// than a matrix product.
    static let streamedTokens = 8

    /// Whether a library multiplies by this matrix faster than our own loops.
    ///
    /// For bfloat16 oneDNN does, by a few percent, and by far where it finds the tile registers of AMX. In float32 our
    /// loops are as fast as OpenBLAS and convert weights on the way, but only AVX-512 has been tuned that far:
    /// elsewhere OpenBLAS takes what needs no conversion.
    private func prefersLibrary(_ weight: WeightMatrix) -> Bool {
        if let usesLibraries { return usesLibraries }
        return multipliesBFloat16 || (instructionSet < .avx512 && !weight.needsConversion(toBFloat16: false))
    }

    // MARK: Checks

    private func checkedLayer(
        _ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue
    ) throws(TensorError) -> LinearLayer {
        guard weight.matrix.shape.rank == 2 else {
            throw TensorError(
                .shapeMismatch, "linear: the weight has the shape \(weight.matrix.shape), expected [out, in]")
        }
        let (outputs, inputs) = (weight.outputs, weight.inputs)
        guard let first = x.first, first.shape.rank >= 1 else {
            throw TensorError(.shapeMismatch, "linear: expected at least one operand [..., in], found \(x)")
        }
        let leading = Array(first.shape.array.dropLast())
        for block in x where block.shape.rank != first.shape.rank || Array(block.shape.array.dropLast()) != leading {
            throw TensorError(
                .shapeMismatch, "linear: column blocks \(first.shape) and \(block.shape) differ in more than width")
        }
        guard x.reduce(0, { $0 + $1.shape.last }) == inputs else {
            throw TensorError(
                .shapeMismatch,
                "linear: operands \(x.map(\.shape)) for a weight \(weight.matrix.shape), expected widths that sum to "
                    + "\(inputs)")
        }
        let shape = Shape(leading + [outputs])
        let tokens = Shape(leading).count
        var gate: Tensor?
        var residual: RowView?
        if let given = epilogue.residual {
            guard given.stream.shape == shape else {
                throw TensorError(
                    .shapeMismatch, "linear: the residual has the shape \(given.stream.shape), expected \(shape)")
            }
            if given.gate != nil, shape.rank < 2 {
                throw TensorError(.shapeMismatch, "linear: a gate needs a batch axis, the result is \(shape)")
            }
            gate = try perItem(given.gate, batch: leading.first ?? 1, width: outputs, "gate", "linear")
            residual = try rows(given.stream, "linear")
        }
        for adapter in weight.adapters {
            let rank = adapter.down.shape.rank == 2 ? adapter.down.shape[0] : -1
            guard rank >= 0, adapter.down.shape[1] == inputs, adapter.up.shape == [adapter.rows.count, rank],
                adapter.rows.lowerBound >= 0, adapter.rows.upperBound <= outputs
            else {
                throw TensorError(
                    .shapeMismatch,
                    "linear: an adapter of rows \(adapter.rows) with down \(adapter.down.shape) and up "
                        + "\(adapter.up.shape), expected [rank, \(inputs)] and [\(adapter.rows.count), rank]")
            }
        }
        return LinearLayer(
            shape: shape, tokens: tokens, inputs: inputs, outputs: outputs,
            weight: try weightMatrix(weight.matrix, heldAs: weight.heldAs), factor: weight.scale,
            bias: try vector(weight.bias, count: outputs, "bias", "linear"),
            adapters: try weight.adapters.map { adapter throws(TensorError) in
                LinearLayer.Adapter(
                    rows: adapter.rows, down: try weightMatrix(adapter.down, heldAs: nil),
                    up: try weightMatrix(adapter.up, heldAs: nil), factor: adapter.factor)
            },
            activation: epilogue.activation.code, residual: residual, gate: gate,
            itemTokens: tokens / max(leading.first ?? 1, 1))
    }

    func weightMatrix(_ matrix: Tensor, heldAs: DType?) throws(TensorError) -> WeightMatrix {
        // Rows whose elements are not neighbours are copied; nothing in a checkpoint looks like that.
        let dense = matrix.shape[1] <= 1 || matrix.strides[1] == 1 ? matrix : try matrix.converted(to: matrix.dtype)
        // An empty matrix is never read, but pointers must point somewhere.
        let owner = dense.count == 0 ? try Tensor.zeros([16]) : dense
        guard let address = try unsafe owner.hostAddress("linear") else {
            throw TensorError(.unsupported, "linear: the weight \(matrix.shape) has no memory")
        }
        return unsafe WeightMatrix(
            tensor: dense, owner: owner, stride: dense.shape[0] <= 1 ? dense.shape[1] : dense.strides[0],
            held: dense.dtype.rounding(heldAs: heldAs), pointer: address)
    }

    // MARK: Few tokens

    /// Every weight is read once and multiplied with all tokens while it is in a register.
    private func streamLinear(
        _ x: [Tensor], _ layer: LinearLayer, to output: ck_output
    ) throws(TensorError) {
        var blocks: [RowView] = []
        for block in x {
            let view = try rows(block, "linear")
            let direct = view.tensor.dtype == .float32 && view.uniformStride != nil
            blocks.append(direct ? view : try rows(contiguous(block), "linear"))
        }
        defer { withExtendedLifetime(blocks) {} }
        let tokens = layer.tokens
        let ranks = layer.adapters.map(\.down.rows)
        let reducedSize = tokens * ranks.reduce(0, +)
        let memory = try HostBuffer(byteCount: (tokens * layer.outputs + reducedSize) * 4)
        guard let sums = unsafe memory.mutableBytes.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
        let reduced = unsafe sums + tokens * layer.outputs

        var start = 0
        for adapter in layer.adapters {
            let target = unsafe reduced + start
            pool.split(adapter.down.rows, grain: 8) { range in
                unsafe stream(
                    blocks, tokens, adapter.down, range, factor: 1, to: target, stride: adapter.down.rows,
                    accumulate: false)
            }
            start += tokens * adapter.down.rows
        }
        pool.split(layer.outputs, grain: 32) { range in
            unsafe stream(
                blocks, tokens, layer.weight, range, factor: layer.factor, to: sums, stride: layer.outputs,
                accumulate: false)
            var start = 0
            for (adapter, rank) in zip(layer.adapters, ranks) {
                let overlap = adapter.rows.clamped(to: range)
                if !overlap.isEmpty, rank > 0 {
                    var job = unsafe ck_stream(
                        x: reduced + start, rows: tokens, inputs: rank, x_ld: rank, weight: adapter.up.pointer,
                        type: adapter.up.tensor.dtype.code, held: -1, weight_ld: adapter.up.stride,
                        y: sums + adapter.rows.lowerBound, y_ld: layer.outputs, accumulate: 1, factor: adapter.factor)
                    unsafe ck_stream_product(
                        set, &job, overlap.lowerBound - adapter.rows.lowerBound,
                        overlap.upperBound - adapter.rows.lowerBound)
                }
                start += tokens * rank
            }
            unsafe finish(
                layer, sums: sums + range.lowerBound, stride: layer.outputs, tokens: 0..<tokens, columns: range,
                factor: 1, to: output)
        }
    }

    private func stream(
        _ blocks: [RowView], _ tokens: Int, _ weight: WeightMatrix, _ range: Range<Int>, factor: Float,
        to y: UnsafeMutablePointer<Float>, stride: Int, accumulate: Bool
    ) {
        var column = 0
        var accumulate = accumulate
        for block in blocks where block.width > 0 {
            guard let data = unsafe block.rows.data else { continue }
            var job = unsafe ck_stream(
                x: data.assumingMemoryBound(to: Float.self), rows: tokens, inputs: block.width,
                x_ld: block.uniformStride ?? block.width,
                weight: weight.pointer + column * weight.tensor.dtype.byteCount, type: weight.tensor.dtype.code,
                held: weight.held, weight_ld: weight.stride, y: y, y_ld: stride, accumulate: accumulate ? 1 : 0,
                factor: factor)
            unsafe ck_stream_product(set, &job, range.lowerBound, range.upperBound)
            accumulate = true
            column += block.width
        }
        if !accumulate {
            for token in 0..<tokens {
                unsafe (y + token * stride + range.lowerBound).update(repeating: 0, count: range.count)
            }
        }
    }

    // MARK: The end of a block

    /// Bias, activation, gate and residual of one block of the result, and its type.
    func finish(
        _ layer: LinearLayer, sums: UnsafeMutablePointer<Float>, stride: Int, tokens: Range<Int>,
        columns: Range<Int>, factor: Float, to output: ck_output
    ) {
        var job = unsafe ck_epilogue(
            sums: sums, ld: stride, rows: tokens.count, columns: columns.count, factor: factor,
            bias: layer.biasAddress, activation: layer.activation, first_row: tokens.lowerBound,
            first_column: columns.lowerBound, residual: layer.residual?.rows ?? ck_rows(), gate: layer.gateAddress,
            gate_stride: layer.outputs, batch_rows: layer.itemTokens, out: output, out_ld: layer.outputs)
        unsafe ck_finish_block(set, &job)
    }
}

/// A linear layer whose operands have been checked.
struct LinearLayer {
    struct Adapter {
        var rows: Range<Int>
        var down: WeightMatrix
        var up: WeightMatrix
        var factor: Float
    }
    /// Of the result.
    let shape: Shape
    let tokens: Int
    let inputs: Int
    let outputs: Int
    let weight: WeightMatrix
    let factor: Float
    let bias: Tensor?
    let adapters: [Adapter]
    let activation: Int32
    let residual: RowView?
    let gate: Tensor?
    /// Tokens of one batch item, which share a row of the gate.
    let itemTokens: Int

    var biasAddress: UnsafePointer<Float>? { unsafe try? bias?.floatAddress("linear") }
    var gateAddress: UnsafePointer<Float>? { unsafe try? gate?.floatAddress("linear") }
    /// Whether the sums are the result.
    var isPlain: Bool { bias == nil && activation == Activation.identity.code && residual == nil }
}

extension LinearLayer {
    /// x · matrixᵀ for the x of another layer, without anything around it.
    init(x layer: LinearLayer, plain matrix: WeightMatrix, factor: Float = 1) {
        self.init(
            shape: [layer.tokens, matrix.rows], tokens: layer.tokens, inputs: layer.inputs, outputs: matrix.rows,
            weight: matrix, factor: factor, bias: nil, adapters: [], activation: Activation.identity.code,
            residual: nil, gate: nil, itemTokens: layer.tokens)
    }
}

/// A matrix as a checkpoint stores it.
@safe struct WeightMatrix {
    let tensor: Tensor
    /// What keeps the memory alive.
    let owner: Tensor
    /// Elements between neighbouring rows.
    let stride: Int
    /// Code of the type to which values are rounded before use, or −1.
    let held: Int32
    /// The first element.
    let pointer: UnsafeRawPointer

    var rows: Int { tensor.shape[0] }
    var columns: Int { tensor.shape[1] }

    /// Whether rows must be converted before a library reads them.
    func needsConversion(toBFloat16: Bool) -> Bool { held >= 0 || tensor.dtype != (toBFloat16 ? .bfloat16 : .float32) }
}
