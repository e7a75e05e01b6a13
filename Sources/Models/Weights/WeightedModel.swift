public import Checkpoints
public import Diffusion

/// A network whose weights can be read and changed by name: what merging and saving need.
public protocol WeightedNetwork: DiffusionNetwork {
    /// The weights under the family's original names, without prefix.
    var source: WeightSource { get }
    /// The network with changes on top of its weights.
    func patched(_ patches: [String: [WeightPatch]]) throws -> Self
}

/// The weights of one text transformer of a text encoder.
public struct EncoderSource: Sendable {
    /// "clip_l", "clip_g", "clip_h", "t5xxl", "pile_t5xl".
    public let name: String
    /// Under transformers names, without prefix.
    public let weights: WeightSource
}

/// A text encoder whose weights can be read and changed by name.
public protocol WeightedTextEncoder: TextEncoder {
    /// The transformers it is made of.
    var sources: [EncoderSource] { get }
    /// The encoder with changes on top of the weights of each transformer.
    func patched(_ patches: (EncoderSource) -> [String: [WeightPatch]]) throws -> Self
}
