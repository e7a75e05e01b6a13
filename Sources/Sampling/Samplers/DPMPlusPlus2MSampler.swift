public import Diffusion
import Glibc
public import Tensors

/// DPM-Solver++(2M) (Lu et al. 2022): second-order multistep in λ = −ln σ, also for flow models.
/// x = (σ'/σ)x − expm1(−h)·D', D' extrapolated from the last two estimates.
public struct DPMPlusPlus2MSampler: Sampler {
    public let name = "dpmpp_2m"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        var previous: Tensor?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            let (time, nextTime) = (-log(sigma), -log(next))
            let h = nextTime - time
            let (keep, take) = (exp(-nextTime) / exp(-time), -expm1(-h))
            if let previous, next != 0 {
                let ratio = (time + log(sigmas[step - 1])) / h
                let (new, old) = (1 + 1 / (2 * ratio), 1 / (2 * ratio))
                x = try Elementwise.zip(x, denoised, previous) { keep * $0 + take * (new * $1 - old * $2) }
            } else {
                x = try Elementwise.zip(x, denoised) { keep * $0 + take * $1 }
            }
            previous = denoised
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
