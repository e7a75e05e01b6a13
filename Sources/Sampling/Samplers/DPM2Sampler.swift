public import Diffusion
import Glibc
public import Tensors

/// The midpoint method in log σ (Karras et al. 2022, k-diffusion's DPM-2): the slope at √(σσ') carries the whole step.
/// The ancestral form steps below the next level and adds noise.
public struct DPM2Sampler: Sampler {
    public let name: String
    private let eta: Float
    private let noiseScale: Float

    /// - Parameter eta: 0 is `dpm_2`; more is `dpm_2_ancestral`.
    public init(name: String = "dpm_2", eta: Float = 0, noiseScale: Float = 1) {
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
            let denoised = try denoiser(x, sigma)
            let before = x
            var down = next
            var (scale, added): (Float, Float) = (1, 0)
            if eta > 0 && isFlow {
                (down, scale, added) = AncestralSplit.flow(from: sigma, to: next, eta: eta)
            } else if eta > 0 {
                (down, added) = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta)
            }
            if down == 0 {
                x = try SamplerStep.euler(x, denoised, from: sigma, to: 0)
            } else {
                // Interpolated from the lower end, as k-diffusion does.
                let end = log(down)
                let middle = exp(end - (end - log(sigma)) * 0.5)
                let half = try SamplerStep.euler(x, denoised, from: sigma, to: middle)
                let difference = down - sigma
                x = try Elementwise.zip(x, half, denoiser(half, middle)) { $0 + ($1 - $2) / middle * difference }
            }
            if eta > 0 && next > 0 {
                added *= noiseScale
                x = try Elementwise.zip(x, noise.next()) { scale * $0 + $1 * added }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
