public import Tensors

/// The texts of one prompt: the same for all encoders, or its own for some.
public struct PromptText: Sendable, Hashable {
    public var common: String
    /// By encoder: "clip_l", "clip_g", "t5xxl".
    public var perEncoder: [String: String]
    /// Whether an encoder whose text is empty gets no tokens at all rather than the empty prompt
    /// (`CLIPTextEncodeSD3` with empty_padding "none").
    public var leavesOutEmpty = false

    public init(_ common: String, perEncoder: [String: String] = [:]) {
        self.common = common
        self.perEncoder = perEncoder
    }

    public func text(for encoder: String) -> String { perEncoder[encoder] ?? common }
}

/// CLIP: the text encoders of a model with their tokenizers. A value: patching gives a new one.
public protocol TextEncoder: Sendable {
    /// The encoders it is made of, for people ("CLIP-L + T5-XXL").
    var family: String { get }
    /// Bytes of memory that the weights take beyond mapped files now: patched, converted or packed copies.
    var ownByteCount: Int { get }
    /// The conditioning of a prompt.
    ///
    /// - Parameter warn: told about what is odd but no error (an embedding that was not found).
    func encode(_ prompt: PromptText, on backend: any Backend, warn: (String) -> Void) throws -> ConditioningEntry
    /// The encoder with the text parts of a LoRA file added.
    func adding(lora: NamedTensors, strength: Float) throws -> (encoder: any TextEncoder, report: LoRAReport)
    /// `CLIPSetLastLayer`: −1 is the last layer.
    func stoppingAt(layer: Int) -> any TextEncoder
}

extension TextEncoder {
    public var ownByteCount: Int { 0 }
}

/// VAE: between pictures and latents.
public protocol Autoencoder: Sendable {
    var family: String { get }
    var latentChannels: Int { get }
    /// Bytes of memory that the weights take beyond mapped files now: patched, converted or packed copies.
    var ownByteCount: Int { get }
    /// Pixels per latent element along each side.
    var downscale: Int { get }
    /// The latent `[batch, channels, h/8, w/8]` of a picture `[batch, height, width, 3 or more]`, 0…1, cropped about the
    /// centre to multiples of ``downscale``. The mean of the distribution: nothing is sampled.
    func encode(_ image: Tensor, on backend: any Backend) throws -> Tensor
    /// The picture `[batch, height, width, 3]`, 0…1, of a latent in the VAE's units.
    func decode(_ latent: Tensor, on backend: any Backend) throws -> Tensor
}

extension Autoencoder {
    public var ownByteCount: Int { 0 }
}
