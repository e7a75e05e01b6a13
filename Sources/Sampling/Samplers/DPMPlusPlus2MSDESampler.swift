public import Diffusion
import Glibc
public import Tensors

/// The stochastic DPM-Solver++(2M) (Lu et al. 2022; k-diffusion's SDE form with Brownian noise).
/// x = (σ'/σ)e^{−hη}x + α'(1 − e^{−g})D + correction + σ'√(1 − e^{−2hη})·n with g = h(1 + η).
public struct DPMPlusPlus2MSDESampler: Sampler {
    /// How the last two estimates are combined.
    public enum Solver: Sendable, Hashable { case midpoint, heun }

    public let name: String
    private let eta: Float
    private let noiseScale: Float
    private let solver: Solver

    public init(name: String = "dpmpp_2m_sde", solver: Solver = .midpoint, eta: Float = 1, noiseScale: Float = 1) {
        self.name = name
        self.solver = solver
        self.eta = eta
        self.noiseScale = noiseScale
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var brownian = BrownianNoise(given, seed: seed, shape: start.shape)
        let snr = LogSNR(denoiser.sampling)
        let sigmas = LogSNR.finite(given, denoiser.sampling)
        var x = start
        var previous: (denoised: Tensor, h: Float)?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            if next == 0 {
                x = denoised
            } else {
                let (lambda, nextLambda) = (snr.lambda(sigma), snr.lambda(next))
                let h = nextLambda - lambda
                let total = h * (eta + 1)
                let alpha = snr.alpha(next, nextLambda)
                let keep = next / sigma * exp(-h * eta)
                let take = alpha * -expm1(-total)
                if let previous {
                    let ratio = previous.h / h
                    let correction =
                        switch solver {
                        case .midpoint: 0.5 * alpha * -expm1(-total) * (1 / ratio)
                        case .heun: alpha * (-expm1(-total) / -total + 1) * (1 / ratio)
                        }
                    x = try Elementwise.zip(x, denoised, previous.denoised) {
                        keep * $0 + take * $1 + correction * ($1 - $2)
                    }
                } else {
                    x = try Elementwise.zip(x, denoised) { keep * $0 + take * $1 }
                }
                if eta > 0 && noiseScale > 0 {
                    let added = next * (-expm1(-2 * h * eta)).squareRoot() * noiseScale
                    x = try Elementwise.zip(x, brownian(from: sigma, to: next)) { $0 + $1 * added }
                }
                previous = (denoised, h)
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
