public import Diffusion
public import Tensors

/// Euler's method on dx/dσ = (x − D)/σ (Karras et al. 2022, algorithm 2 without churn): x += d·(σ' − σ). `ddim` is the
/// same method with noise of its own under a mask.
public struct EulerSampler: Sampler, MaskNoiseRedrawing {
    public let name: String
    let redrawsMaskNoise: Bool

    public init(name: String = "euler", redrawsMaskNoise: Bool = false) {
        self.name = name
        self.redrawsMaskNoise = redrawsMaskNoise
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            x = try SamplerStep.euler(x, denoised, from: sigma, to: next)
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}

/// Formulas that several samplers share.
enum SamplerStep {
    /// x + (x − D)/σ·(σ' − σ).
    static func euler(_ x: Tensor, _ denoised: Tensor, from sigma: Float, to next: Float) throws -> Tensor {
        let difference = next - sigma
        return try Elementwise.zip(x, denoised) { $0 + ($0 - $1) / sigma * difference }
    }

    /// The slope d = (x − D)/σ.
    static func slope(_ x: Tensor, _ denoised: Tensor, _ sigma: Float) throws -> Tensor {
        try Elementwise.zip(x, denoised) { ($0 - $1) / sigma }
    }
}

extension SamplingStep {
    /// The report after step number `index` (from 0) of a schedule.
    init(_ index: Int, of sigmas: [Float], _ x: Tensor, _ denoised: Tensor) {
        self.init(step: index + 1, total: sigmas.count - 1, sigma: sigmas[index], x: x, denoised: denoised)
    }
}
