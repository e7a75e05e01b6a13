public import Diffusion
public import Tensors

/// Heun's method (Karras et al. 2022, algorithm 1): an Euler step, then the mean of the slopes at both ends. The step to
/// 0 is Euler's.
public struct HeunSampler: Sampler {
    public let name = "heun"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            let ahead = try SamplerStep.euler(x, denoised, from: sigma, to: next)
            if next == 0 {
                x = ahead
            } else {
                let difference = next - sigma
                let second = try SamplerStep.slope(ahead, denoiser(ahead, next), next)
                x = try Elementwise.zip(x, denoised, second) {
                    $0 + (($0 - $1) / sigma + $2) / 2 * difference
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
