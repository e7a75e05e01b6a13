public import Checkpoints
public import Tensors

/// Shift and scale without a gate: the adaLN before an output layer. Read apart, because diffusers files store the two
/// in the other order.
public struct PairModulation: Sendable {
    let shift: LinearWeight
    let scale: LinearWeight

    /// - Parameter w: of the linear layer `[2·width, inputs]`, shift first.
    public init(_ w: Weights, inputs: Int, width: Int) throws(CheckpointError) {
        shift = try w.linear(inputs: inputs, outputs: 2 * width, rows: 0..<width)
        scale = try w.linear(inputs: inputs, outputs: 2 * width, rows: width..<2 * width)
    }

    /// - Parameter vector: SiLU of the conditioning vector, `[batch, inputs]`.
    public func callAsFunction(_ vector: Tensor, on backend: any Backend) throws(TensorError) -> Modulation {
        Modulation(shift: try backend.linear(vector, shift), scale: try backend.linear(vector, scale))
    }
}
