public import Diffusion
public import Tensors

/// Multistep consistency sampling (Luo et al. 2023): the denoised estimate, noised anew to the next level.
public struct LCMSampler: Sampler {
    public let name = "lcm"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var noise = StepNoise(seed: seed, shape: start.shape)
        var x = start
        for step in sigmas.indices.dropLast() {
            let next = sigmas[step + 1]
            let denoised = try denoiser(x, sigmas[step])
            let before = x
            x =
                next > 0
                ? try denoiser.sampling.noisy(denoised, noise: noise.next(), sigma: next, full: false) : denoised
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
