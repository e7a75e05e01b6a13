public import Diffusion
import Glibc
public import Tensors

/// DPM-Solver++(2M) in the CFG++ form (Chung et al. 2024): x is carried on with the negative's estimate u,
/// x = D + e^{−h}(x − u), plus a correction from the last u.
public struct DPMPlusPlus2MCFGPlusPlusSampler: Sampler {
    public let name = "dpmpp_2m_cfg_pp"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        var previous: Tensor?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let (denoised, unconditional) = try denoiser.withUnconditional(x, sigma)
            let before = x
            let (time, nextTime) = (-log(sigma), -log(next))
            let h = nextTime - time
            let keep = exp(-h)
            if let previous, next > 0 {
                let ratio = (time + log(sigmas[step - 1])) / h
                let bend = expm1(-h) / (2 * ratio)
                x = try Elementwise.zip(x, denoised, unconditional, previous) {
                    $1 + (-keep * $2 - bend * ($1 - $3)) + keep * $0
                }
            } else {
                x = try Elementwise.zip(x, denoised, unconditional) { $1 - keep * $2 + keep * $0 }
            }
            previous = unconditional
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
