public import Tensors

/// What an image encoder sees in pictures. Float32 host tensors.
public struct CLIPVisionOutput: Sendable {
    /// `[batch, tokens, width]` after the last layer, without the class token's final norm; SigLIP: after the final norm.
    public var lastHiddenState: Tensor
    /// `[batch, tokens, width]` before the last layer.
    public var penultimateHiddenState: Tensor
    /// `[batch, projection]`: the class token, normed and projected. `nil` for encoders without a projection.
    public var imageEmbeds: Tensor?

    public init(lastHiddenState: Tensor, penultimateHiddenState: Tensor, imageEmbeds: Tensor?) {
        self.lastHiddenState = lastHiddenState
        self.penultimateHiddenState = penultimateHiddenState
        self.imageEmbeds = imageEmbeds
    }
}
