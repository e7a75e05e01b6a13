public import Diffusion
import Glibc
public import Tensors

/// The third-order multistep form of the stochastic DPM-Solver++ (k-diffusion's `dpmpp_3m_sde`): the last three
/// estimates give first and second differences, weighted by φ₂ and φ₃ of the exponential integrator.
public struct DPMPlusPlus3MSDESampler: Sampler {
    public let name: String
    private let eta: Float
    private let noiseScale: Float

    public init(name: String = "dpmpp_3m_sde", eta: Float = 1, noiseScale: Float = 1) {
        self.name = name
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
        // Newest first.
        var history: [(denoised: Tensor, h: Float)] = []
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
                let phi2 = expm1(-total) / total + 1
                x = try Elementwise.zip(x, denoised) { keep * $0 + take * $1 }
                if history.count >= 2 {
                    let phi3 = phi2 / total - 0.5
                    let (ratio0, ratio1) = (history[0].h / h, history[1].h / h)
                    let (linear, quadratic) = (alpha * phi2, alpha * phi3)
                    let (part, whole) = (ratio0 / (ratio0 + ratio1), ratio0 + ratio1)
                    let correction = try Elementwise.zip(denoised, history[0].denoised, history[1].denoised) {
                        let near = ($0 - $1) / ratio0
                        let far = ($1 - $2) / ratio1
                        return linear * (near + (near - far) * part) - quadratic * ((near - far) / whole)
                    }
                    x = try Elementwise.zip(x, correction) { $0 + $1 }
                } else if let last = history.first {
                    let ratio = last.h / h
                    let weight = alpha * phi2
                    x = try Elementwise.zip(x, denoised, last.denoised) { $0 + weight * (($1 - $2) / ratio) }
                }
                if eta > 0 && noiseScale > 0 {
                    let added = next * (-expm1(-2 * h * eta)).squareRoot() * noiseScale
                    x = try Elementwise.zip(x, brownian(from: sigma, to: next)) { $0 + $1 * added }
                }
                history = [(denoised, h)] + history.prefix(1)
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
