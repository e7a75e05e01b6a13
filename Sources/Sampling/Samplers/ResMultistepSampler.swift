public import Diffusion
import Glibc
public import Tensors

/// RES multistep (Zhang et al. 2023, "Improved order analysis and design of exponential integrators for diffusion
/// models sampling"): a second-order exponential integrator in −ln σ. Ancestral and CFG++ forms; the latter carries on
/// with the negative's estimates.
public struct ResMultistepSampler: Sampler {
    public let name: String
    private let eta: Float
    private let noiseScale: Float
    private let usesUnconditional: Bool

    public init(eta: Float = 0, noiseScale: Float = 1, isCFGPlusPlus: Bool = false) {
        self.eta = eta
        self.noiseScale = noiseScale
        usesUnconditional = isCFGPlusPlus
        name = "res_multistep" + (eta > 0 ? "_ancestral" : "") + (isCFGPlusPlus ? "_cfg_pp" : "")
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var noise = StepNoise(seed: seed, shape: start.shape)
        var x = start
        var previous: (estimate: Tensor, down: Float)?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let (denoised, estimate) = try estimates(denoiser, x, sigma)
            let before = x
            let (down, up) = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta)
            if let previous, down != 0 {
                let (time, nextTime) = (-log(sigma), -log(down))
                let h = nextTime - time
                let c = (-log(sigmas[step - 1]) + log(previous.down)) / h
                let phi1 = expm1(-h) / -h
                let phi2 = (phi1 - 1) / -h
                let (b1, b2) = (Self.orZero(phi1 - phi2 / c), Self.orZero(phi2 / c))
                let keep = exp(-h)
                if usesUnconditional {
                    x = try Elementwise.zip(x, denoised, estimate, previous.estimate) {
                        keep * ($0 + ($1 - $2)) + h * (b1 * $2 + b2 * $3)
                    }
                } else {
                    x = try Elementwise.zip(x, denoised, previous.estimate) {
                        keep * $0 + h * (b1 * $1 + b2 * $2)
                    }
                }
            } else if usesUnconditional {
                x = try Elementwise.zip(x, denoised, estimate) { $1 + ($0 - $2) / sigma * down }
            } else {
                x = try SamplerStep.euler(x, denoised, from: sigma, to: down)
            }
            if next > 0 && eta > 0 {
                let added = up * noiseScale
                x = try Elementwise.zip(x, noise.next()) { $0 + $1 * added }
            }
            previous = (estimate, down)
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    /// D, and what the multistep formula extrapolates.
    private func estimates(
        _ denoiser: any Denoiser, _ x: Tensor, _ sigma: Float
    ) throws -> (denoised: Tensor, estimate: Tensor) {
        if usesUnconditional {
            let (denoised, unconditional) = try denoiser.withUnconditional(x, sigma)
            return (denoised, unconditional)
        }
        let denoised = try denoiser(x, sigma)
        return (denoised, denoised)
    }

    private static func orZero(_ value: Float) -> Float { value.isNaN ? 0 : value }
}
