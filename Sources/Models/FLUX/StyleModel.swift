public import Checkpoints
import Diffusion
public import Tensors

/// FLUX.1 Redux: text tokens made of what SigLIP sees in a picture (families-flux.md §11).
public struct StyleModel: Sendable {
    private let source: WeightSource
    private let up: LinearWeight
    private let down: LinearWeight

    /// - Throws: ``Checkpoints/CheckpointError`` when the file is no such model, or keys have the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        guard source.contains("redux_down.weight") else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name) is not a style model that is supported (FLUX.1 Redux, with the key "
                    + "\"redux_down.weight\"): \(KnownLayouts.describe(source))")
        }
        let shape = try source.dimensions("redux_up.weight", rank: 2)
        let width = try source.dimensions("redux_down.weight", rank: 2)[0]
        let w = Weights(source)
        up = try w["redux_up"].linear(inputs: shape[1], outputs: shape[0])
        down = try w["redux_down"].linear(inputs: shape[0], outputs: width)
        self.source = source
    }

    /// Width of the image features that it takes, 1152, and of the tokens that it makes, 4096.
    public var featureWidth: Int { up.inputs }
    public var tokenWidth: Int { down.outputs }
    public var ownByteCount: Int { source.ownByteCount }

    /// - Parameter features: an image encoder's last hidden state `[batch, tokens, featureWidth]`.
    /// - Returns: `[batch, tokens, tokenWidth]`, float32, host memory.
    /// - Throws: ``Tensors/TensorError/Code/shapeMismatch`` for features of another width.
    public func callAsFunction(_ features: Tensor, on b: any Backend) throws -> Tensor {
        guard features.shape.rank == 3, features.shape[2] == featureWidth else {
            throw TensorError(
                .shapeMismatch,
                "the style model \(source.name) takes image features of width \(featureWidth), found \(features.shape): it "
                    + "belongs to another image encoder (FLUX.1 Redux needs SigLIP so400m, "
                    + "sigclip_vision_patch14_384)")
        }
        let hidden = try b.linear(b.place(features), up, LinearEpilogue(.silu, result: .compute))
        return try b.host(b.linear(hidden, down))
    }
}
