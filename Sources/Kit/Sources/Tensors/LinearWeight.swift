/// The weight of a linear layer as the checkpoint stores it, with what is added to it at run time.
///
/// The effective matrix is `held(matrix) · scale + Σ factor · up · down`, computed block by block in the backend:
/// nothing copies the matrix as a whole.
public struct LinearWeight: Sendable {
    /// `[out, in]`, of any type; host memory, usually a view of a mapped file. Elements of a row are neighbours; rows
    /// may be farther apart than `in` (column views).
    public var matrix: Tensor
    /// The type the reference holds the weight in; values are rounded to it (nearest even) before use.
    /// `nil`: as stored.
    public var heldAs: DType?
    /// Scalar factor of scaled-fp8 files, 1 otherwise.
    public var scale: Float
    /// `[out]`, any type.
    public var bias: Tensor?
    /// Low-rank additions (LoRA), kept apart from the matrix.
    public var adapters: [LowRankAdapter]

    public init(
        matrix: Tensor, heldAs: DType? = nil, scale: Float = 1, bias: Tensor? = nil, adapters: [LowRankAdapter] = []
    ) {
        self.matrix = matrix
        self.heldAs = heldAs
        self.scale = scale
        self.bias = bias
        self.adapters = adapters
    }

    /// Rows of the matrix.
    public var outputs: Int { matrix.shape[0] }
    /// Columns of the matrix.
    public var inputs: Int { matrix.shape[1] }

    /// The part of the layer that computes the outputs `range`.
    public func rows(_ range: Range<Int>) throws(TensorError) -> LinearWeight {
        var part = self
        part.matrix = try matrix.slice(axis: 0, range)
        if let bias { part.bias = try bias.slice(axis: 0, range) }
        part.adapters = []
        for adapter in adapters {
            let overlap = adapter.rows.clamped(to: range)
            if overlap.isEmpty { continue }
            let start = overlap.lowerBound - adapter.rows.lowerBound
            part.adapters.append(
                LowRankAdapter(
                    rows: overlap.lowerBound - range.lowerBound..<overlap.upperBound - range.lowerBound,
                    down: adapter.down, up: try adapter.up.slice(axis: 0, start..<start + overlap.count),
                    factor: adapter.factor))
        }
        return part
    }
}

/// `factor · up · down`, added to the rows `rows` of a weight matrix.
public struct LowRankAdapter: Sendable {
    /// The outputs it changes.
    public var rows: Range<Int>
    /// `[rank, in]`, any type.
    public var down: Tensor
    /// `[rows.count, rank]`, any type.
    public var up: Tensor
    public var factor: Float

    public init(rows: Range<Int>, down: Tensor, up: Tensor, factor: Float) {
        self.rows = rows
        self.down = down
        self.up = up
        self.factor = factor
    }
}

/// What happens to the result of a linear layer before it is stored.
public struct LinearEpilogue: Sendable {
    /// Applied to x Wᵀ + b.
    public var activation: Activation
    /// If present the result is `residual + gate · activation(…)`.
    public var residual: Residual?
    public var result: ResultType

    public init(_ activation: Activation = .identity, residual: Residual? = nil, result: ResultType = .full) {
        self.activation = activation
        self.residual = residual
        self.result = result
    }
}

/// A residual stream `[batch, tokens, width]` and the gate `[batch, width]` of what is added to it (none: 1).
public struct Residual: Sendable {
    public var stream: Tensor
    public var gate: Tensor?

    public init(_ stream: Tensor, gate: Tensor? = nil) {
        self.stream = stream
        self.gate = gate
    }
}
