public import Diffusion
public import Tensors

/// Heun++ 2: like Heun's method with up to three slopes whose weights follow the noise levels (Chen et al. 2023,
/// "Heun++"); two slopes in the step before the last, one in the last.
public struct HeunPP2Sampler: Sampler {
    public let name = "heunpp2"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let end = sigmas[sigmas.count - 1]
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            let ahead = try SamplerStep.euler(x, denoised, from: sigma, to: next)
            let difference = next - sigma
            if next == end || step + 2 >= sigmas.count {
                x = ahead
            } else if sigmas[step + 2] == end {
                let second = try SamplerStep.slope(ahead, denoiser(ahead, next), next)
                let weight2 = next / (2 * sigmas[0])
                let weight1 = 1 - weight2
                x = try Elementwise.zip(x, denoised, second) {
                    $0 + (($0 - $1) / sigma * weight1 + $2 * weight2) * difference
                }
            } else {
                let afterNext = sigmas[step + 2]
                let second = try SamplerStep.slope(ahead, denoiser(ahead, next), next)
                let length = afterNext - next
                let further = try Elementwise.zip(ahead, second) { $0 + $1 * length }
                let third = try SamplerStep.slope(further, denoiser(further, afterNext), afterNext)
                let total = 3 * sigmas[0]
                let (weight2, weight3) = (next / total, afterNext / total)
                let weight1 = 1 - weight2 - weight3
                x = try Elementwise.zip(x, denoised, second, third) {
                    $0 + (weight1 * (($0 - $1) / sigma) + weight2 * $2 + weight3 * $3) * difference
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
