public import Diffusion
import Glibc
public import Tensors

/// The stochastic single-step DPM-Solver++ (Lu et al. 2022; k-diffusion's `dpmpp_sde`): two evaluations per step, each
/// with ancestral noise from a Brownian path, in units of the picture's size α.
public struct DPMPlusPlusSDESampler: Sampler {
    public let name: String
    private let eta: Float
    private let noiseScale: Float
    private let ratio: Float

    /// - Parameter ratio: where in the step the second evaluation lies.
    public init(name: String = "dpmpp_sde", eta: Float = 1, noiseScale: Float = 1, ratio: Float = 0.5) {
        self.name = name
        self.eta = eta
        self.noiseScale = noiseScale
        self.ratio = ratio
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var brownian = BrownianNoise(given, seed: seed, shape: start.shape)
        let snr = LogSNR(denoiser.sampling)
        let sigmas = LogSNR.finite(given, denoiser.sampling)
        let factor = 1 / (2 * ratio)
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            if next == 0 {
                x = denoised
            } else {
                let (lambda, nextLambda) = (snr.lambda(sigma), snr.lambda(next))
                let middleLambda = lambda + ratio * (nextLambda - lambda)
                let middle = snr.sigma(middleLambda)
                let alpha = snr.alpha(sigma, lambda)

                /// One update of x towards a level, with the noise between the two.
                func update(_ target: Float, _ targetLambda: Float, _ estimate: Tensor) throws -> Tensor {
                    let (down, up) = AncestralSplit.varianceExploding(
                        from: exp(-lambda), to: exp(-targetLambda), eta: eta)
                    let h = -log(down) - lambda
                    let targetAlpha = snr.alpha(target, targetLambda)
                    let (keep, take) = (targetAlpha / alpha * exp(-h), targetAlpha * expm1(-h))
                    let moved = try Elementwise.zip(x, estimate) { keep * $0 - take * $1 }
                    guard eta > 0 && noiseScale > 0 else { return moved }
                    let added = targetAlpha * noiseScale * up
                    return try Elementwise.zip(moved, brownian(from: sigma, to: target)) { $0 + $1 * added }
                }
                let second = try denoiser(update(middle, middleLambda, denoised), middle)
                let mixed = try Elementwise.zip(denoised, second) { (1 - factor) * $0 + factor * $1 }
                x = try update(next, nextLambda, mixed)
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
