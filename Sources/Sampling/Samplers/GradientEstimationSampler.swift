public import Diffusion
public import Tensors

/// Gradient estimation (Permenter and Yuan 2024, "Interpreting and improving diffusion models from an optimization
/// perspective"): Euler's method with the slope extrapolated by γ, and its CFG++ form.
public struct GradientEstimationSampler: Sampler {
    public let name: String
    private let gamma: Float
    private let usesUnconditional: Bool

    public init(gamma: Float = 2, isCFGPlusPlus: Bool = false) {
        self.gamma = gamma
        usesUnconditional = isCFGPlusPlus
        name = isCFGPlusPlus ? "gradient_estimation_cfg_pp" : "gradient_estimation"
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        var previous: Tensor?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let before = x
            let denoised: Tensor
            let slope: Tensor
            if usesUnconditional {
                let both = try denoiser.withUnconditional(x, sigma)
                denoised = both.denoised
                slope = try SamplerStep.slope(x, both.unconditional, sigma)
            } else {
                denoised = try denoiser(x, sigma)
                slope = try SamplerStep.slope(x, denoised, sigma)
            }
            let length = next - sigma
            if next == 0 {
                x = denoised
            } else {
                x =
                    usesUnconditional
                    ? try Elementwise.zip(denoised, slope) { $0 + $1 * next }
                    : try Elementwise.zip(x, slope) { $0 + $1 * length }
                if let previous {
                    let extra = gamma - 1
                    x = try Elementwise.zip(x, slope, previous) { $0 + extra * ($1 - $2) * length }
                }
            }
            previous = slope
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
