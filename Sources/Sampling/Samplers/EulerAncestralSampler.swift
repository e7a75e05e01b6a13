public import Diffusion
public import Tensors

/// Euler's method to a level below the next one, then fresh noise up to it (k-diffusion's ancestral sampler); for flow
/// models in the form that keeps (1 − σ)·latent + σ·noise.
public struct EulerAncestralSampler: Sampler {
    public let name = "euler_ancestral"
    private let eta: Float
    private let noiseScale: Float

    /// - Parameters:
    ///   - eta: share of the noise that is replaced; 0 is Euler's method.
    ///   - noiseScale: factor on the fresh noise.
    public init(eta: Float = 1, noiseScale: Float = 1) {
        self.eta = eta
        self.noiseScale = noiseScale
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var noise = StepNoise(seed: seed, shape: start.shape)
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            if next == 0 {
                x = denoised
            } else if denoiser.sampling.isFlow {
                let (down, scale, renoise) = AncestralSplit.flow(from: sigma, to: next, eta: eta)
                let ratio = down / sigma
                let added = renoise * noiseScale
                x =
                    eta > 0
                    ? try Elementwise.zip(x, denoised, noise.next()) {
                        scale * (ratio * $0 + (1 - ratio) * $1) + $2 * added
                    } : try Elementwise.zip(x, denoised) { ratio * $0 + (1 - ratio) * $1 }
            } else {
                let (down, up) = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta)
                x = down == 0 ? denoised : try SamplerStep.euler(x, denoised, from: sigma, to: down)
                let added = up * noiseScale
                // Drawn even where it counts nothing, as every step takes its turn of the generator.
                x = try Elementwise.zip(x, noise.next()) { $0 + $1 * added }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
