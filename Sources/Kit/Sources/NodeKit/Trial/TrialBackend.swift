public import Tensors

/// The backend of a ``NodeTrial``: element by element operations in float32 on host memory.
///
/// The operations of models (matrix products, attention, norms, convolutions, activations) are refused with
/// `TensorError.Code.unsupported`: nodes that need them are tested in the program, with `graphrun run`.
public struct TrialBackend: Backend {
    public init() {}
    public var name: String { "trial" }
    public var computeType: DType { .float32 }

    public func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        let b = try b.broadcast(to: a.shape)
        return try checked { try HostMath.add(a, b) }
    }

    public func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        let b = try b.broadcast(to: a.shape)
        return try checked { try HostMath.multiply(a, b) }
    }

    public func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor {
        try checked { try HostMath.concatenate(parts, axis: axis) }
    }

    public func linear(
        _ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue
    ) throws(TensorError) -> Tensor { throw missing("linear") }

    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor { throw missing("attention") }

    public func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor { throw missing("joinHeads") }

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { throw missing("layerNorm") }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { throw missing("rmsNorm") }

    public func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor { throw missing("groupNorm") }

    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor { throw missing("convolution") }

    public func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor {
        throw missing("resizeNearest")
    }

    public func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor {
        throw missing("gather")
    }

    public func activate(
        _ x: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor { throw missing("activate") }

    public func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor { throw missing("gated") }

    private func missing(_ operation: String) -> TensorError {
        TensorError(
            .unsupported,
            "\(operation) is an operation of models, which a node trial does not have: test with graphrun run")
    }

    private func checked(_ body: () throws -> Tensor) throws(TensorError) -> Tensor {
        do {
            return try body()
        } catch let error as TensorError {
            throw error
        } catch {
            throw TensorError(.unsupported, String(describing: error))
        }
    }
}
