public import Tensors

/// How a model's noise levels are laid out and what its network predicts (spec: families-unet-sampling.md §9).
///
/// All schedule arithmetic is float32 unless said otherwise.
public protocol ModelSampling: Sendable {
    /// Ascending table of noise levels σ.
    var table: [Float] { get }
    /// Whether noising is (1−σ)·latent + σ·noise (rectified flow) rather than latent + σ·noise.
    var isFlow: Bool { get }

    /// The model's time for a noise level. Not the inverse of ``sigma(timestep:)`` for shifted flow models.
    func timestep(_ sigma: Float) -> Float
    /// The noise level at a time.
    func sigma(timestep: Float) -> Float
    /// The noise level after the fraction `percent` of a full run.
    func percentToSigma(_ percent: Double) -> Double

    /// The number the network gets as its time.
    func networkTime(_ sigma: Float) -> Float
    /// What the network gets as picture, from the sampler's x.
    func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor
    /// The denoised estimate from the network's output.
    func denoised(_ x: Tensor, output: Tensor, sigma: Float) throws -> Tensor
    /// The start of a run: latent (model units) with noise at σ. `full` when the run starts at the top of the table.
    func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor
    /// What the sampler's last x becomes, given the last σ of the schedule.
    func finish(_ x: Tensor, lastSigma: Float) throws -> Tensor
}

extension ModelSampling {
    public var sigmaMin: Float { table.first ?? 0 }
    public var sigmaMax: Float { table.last ?? 1 }
}

/// The latent space of a family: size and the change between a VAE's units and the network's.
public struct LatentFormat: Sendable, Hashable {
    /// Channels of a latent.
    public var channels: Int
    /// Pixels per latent element along each side.
    public var downscale: Int
    /// model = (latent − shift) · scale
    public var scale: Float
    public var shift: Float

    public init(channels: Int, scale: Float, shift: Float = 0, downscale: Int = 8) {
        self.channels = channels
        self.scale = scale
        self.shift = shift
        self.downscale = downscale
    }

    /// To model units: (z − shift) · scale.
    public func toModel(_ latent: Tensor) throws -> Tensor {
        let (scale, shift) = (scale, shift)
        return try HostMath.map(latent) { ($0 - shift) * scale }
    }

    /// From model units: z / scale + shift.
    public func fromModel(_ latent: Tensor) throws -> Tensor {
        let (scale, shift) = (scale, shift)
        return try HostMath.map(latent) { $0 / scale + shift }
    }
}
