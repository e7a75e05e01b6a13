public import Tensors

/// LATENT.
public struct Latent: Sendable {
    /// `[batch, channels, h, w]` in the VAE's units.
    public var samples: Tensor
    /// Where noise may change the picture: `[batch or 1, H, W]` or `[…, 1, H, W]`, any size, 1 = change.
    public var noiseMask: Tensor?
    /// Position of each item in the batch it was cut from; decides its noise.
    public var batchIndices: [Int]?

    public init(samples: Tensor, noiseMask: Tensor? = nil, batchIndices: [Int]? = nil) {
        self.samples = samples
        self.noiseMask = noiseMask
        self.batchIndices = batchIndices
    }
}

/// What a sampler calls: the guided denoised estimate D(x, σ), both in model units.
public protocol Denoiser: AnyObject {
    var sampling: any ModelSampling { get }
    /// D(x, σ).
    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor
    /// D together with the negative's estimate (the cfg++ samplers); evaluates the negative even at cfg 1.
    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor)
}

/// Where a run stands after a step.
public struct SamplingStep: Sendable {
    /// Finished steps, from 1, and how many there will be.
    public var step: Int
    public var total: Int
    public var sigma: Float
    /// The sampler's x before the step and the denoised estimate in it; model units.
    public var x: Tensor
    public var denoised: Tensor

    public init(step: Int, total: Int, sigma: Float, x: Tensor, denoised: Tensor) {
        self.step = step
        self.total = total
        self.sigma = sigma
        self.x = x
        self.denoised = denoised
    }
}

/// SAMPLER: a way from noise to picture along a schedule.
public protocol Sampler: Sendable {
    var name: String { get }
    /// Runs over `sigmas` (descending) from the noisy start `x`.
    ///
    /// - Parameters:
    ///   - seed: of the sampler's own noise source.
    ///   - noise: the run's initial noise; `latent` its starting latent in model units.
    ///   - onStep: called after every step; what it throws ends the run (cancellation).
    /// - Returns: the last x and the last σ reached (`uni_pc` changes the final 0).
    func sample(
        _ denoiser: any Denoiser, x: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float)
}

/// NOISE: the initial noise of a run.
public protocol NoiseSource: Sendable {
    var seed: UInt64 { get }
    /// Noise of the latent's shape, float32.
    func noise(for latent: Latent) throws -> Tensor
}

/// GUIDER: a model with conditionings and the way they are combined.
public protocol Guider: Sendable {
    var model: DiffusionModel { get }
    /// The estimator for one run.
    func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser
}
