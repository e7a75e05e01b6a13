public import Diffusion
public import Tensors

/// The ancestral sampler of denoising diffusion (Ho et al. 2020) in variance-preserving coordinates y = x/√(1 + σ²):
/// y = √(1/q)(y − (1 − q)·d/√(1 − a)) plus noise, a = 1/(σ² + 1), q = a/a'.
public struct DDPMSampler: Sampler {
    public let name = "ddpm"
    public init() {}

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
            let total = 1 / (sigma * sigma + 1)
            let nextTotal = 1 / (next * next + 1)
            let ratio = total / nextTotal
            let norm = (1 + sigma * sigma).squareRoot()
            let scale = (1 / ratio).squareRoot()
            let (share, root) = (1 - ratio, (1 - total).squareRoot())
            x = try Elementwise.zip(x, denoised) {
                scale * ($0 / norm - share * (($0 - $1) / sigma) / root)
            }
            if next > 0 {
                let deviation = ((1 - ratio) * (1 - nextTotal) / (1 - total)).squareRoot()
                let back = (1 + next * next).squareRoot()
                x = try Elementwise.zip(x, noise.next()) { ($0 + deviation * $1) * back }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
