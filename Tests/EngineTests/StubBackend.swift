import Tensors

/// A backend for nodes that compute nothing.
struct StubBackend: Backend {
    var name = "stub"
    var computeType = DType.float32

    private func refuse() -> TensorError { TensorError(.unsupported, "the stub backend computes nothing") }

    func linear(_ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue) throws(TensorError) -> Tensor {
        throw refuse()
    }
    func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor { throw refuse() }
    func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor { throw refuse() }
    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { throw refuse() }
    func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor { throw refuse() }
    func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor { throw refuse() }
    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor { throw refuse() }
    func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor { throw refuse() }
    func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor { throw refuse() }
    func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { throw refuse() }
    func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { throw refuse() }
    func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor {
        throw refuse()
    }
    func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor { throw refuse() }
    func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor { throw refuse() }
}
