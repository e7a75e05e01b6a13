public import Diffusion
public import Tensors

/// CFG++ (Chung et al. 2024) in Euler's method: the noise direction comes from the negative's estimate u,
/// d = (x − αu)/σ, x = α'D + σ'd; α is the size of the picture in x (1, or 1 − σ for flow models).
public struct EulerCFGPlusPlusSampler: Sampler {
    public let name: String
    private let eta: Float
    private let noiseScale: Float

    /// - Parameter eta: 0 is the deterministic method, more replaces that share of the noise (`euler_ancestral_cfg_pp`).
    public init(name: String = "euler_cfg_pp", eta: Float = 0, noiseScale: Float = 1) {
        self.name = name
        self.eta = eta
        self.noiseScale = noiseScale
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let isFlow = denoiser.sampling.isFlow
        var noise = StepNoise(seed: seed, shape: start.shape)
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let (denoised, unconditional) = try denoiser.withUnconditional(x, sigma)
            let before = x
            if next == 0 {
                x = denoised
            } else {
                let (alpha, nextAlpha) = isFlow ? (1 - sigma, 1 - next) : (1, 1)
                if eta == 0 {
                    x = try Elementwise.zip(x, denoised, unconditional) {
                        nextAlpha * $1 + next * (($0 - alpha * $2) / sigma)
                    }
                } else {
                    // In units of the picture's size, where the process is variance exploding.
                    let (down, up) = AncestralSplit.varianceExploding(
                        from: sigma / alpha, to: next / nextAlpha, eta: eta)
                    let (keep, added) = (nextAlpha * down, nextAlpha * up * noiseScale)
                    x = try Elementwise.zip(x, denoised, unconditional, noise.next()) {
                        nextAlpha * $1 + keep * (($0 - alpha * $2) / sigma) + $3 * added
                    }
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
