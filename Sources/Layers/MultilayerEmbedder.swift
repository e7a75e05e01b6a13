public import Checkpoints
public import Tensors

/// out(SiLU(in(x))): the embedders of time, guidance and pooled text.
public struct MultilayerEmbedder: Sendable {
    let first: LinearWeight
    let second: LinearWeight

    /// - Parameter names: keys of the two layers.
    public init(_ w: Weights, names: (String, String), inputs: Int, width: Int) throws(CheckpointError) {
        first = try w[names.0].linear(inputs: inputs, outputs: width)
        second = try w[names.1].linear(inputs: width, outputs: width)
    }

    /// `[batch, inputs]` → `[batch, width]`.
    public func callAsFunction(_ x: Tensor, on backend: any Backend) throws(TensorError) -> Tensor {
        let hidden = try backend.linear(x, first, LinearEpilogue(.silu, result: .compute))
        return try backend.linear(hidden, second)
    }
}
