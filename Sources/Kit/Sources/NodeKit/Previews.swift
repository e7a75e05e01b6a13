public import Tensors

/// How pictures of unfinished work are made.
public struct PreviewOptions: Sendable, Hashable {
    /// Ways from a latent to a picture.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// No previews, no cost.
        case none
        /// ``latent2rgb``, as in the reference.
        case auto
        /// A linear combination of the latent's channels: free, and as small as the latent.
        case latent2rgb
        /// A tiny autoencoder from models/vae_approx; ``latent2rgb`` where its file is missing.
        case taesd
    }
    public var method: Method
    /// The longer side of the pictures, in pixels: they are enlarged or made smaller to fit.
    public var size: Int

    public init(method: Method, size: Int = 512) {
        self.method = method
        self.size = size
    }

    /// No previews.
    public static let none = PreviewOptions(method: .none)
}

/// What the result of a node may look like, after a step of its work.
public struct StepPreview: Sendable {
    /// float32 `[1, height, width, 3]`, 0…1; host memory.
    public var picture: Tensor
    /// Finished steps, and how many there will be.
    public var step: Int
    public var total: Int

    public init(picture: Tensor, step: Int, total: Int) {
        self.picture = picture
        self.step = step
        self.total = total
    }
}

extension NodeContext {
    /// Shows what the result may look like. Nodes do so only when ``previews`` asks for it.
    public func preview(_ preview: StepPreview) { events.preview(node: nodeID, preview) }
}

extension NodeEvents {
    public func preview(node: String, _ preview: StepPreview) {}
}
