public import Diffusion
import Glibc
public import Tensors

/// DPM-Solver++(2S) (Lu et al. 2022) with ancestral noise: two evaluations per step, the second halfway in λ. The CFG++
/// form (Chung et al. 2024) moves x by D − u before each update.
public struct DPMPlusPlus2SAncestralSampler: Sampler {
    public let name: String
    private let usesUnconditional: Bool
    private let eta: Float
    private let noiseScale: Float

    public init(isCFGPlusPlus: Bool = false, eta: Float = 1, noiseScale: Float = 1) {
        usesUnconditional = isCFGPlusPlus
        name = isCFGPlusPlus ? "dpmpp_2s_ancestral_cfg_pp" : "dpmpp_2s_ancestral"
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
            let before = x
            let denoised: Tensor
            if usesUnconditional {
                (x, denoised) = try guided(denoiser, x, sigma, next)
            } else if denoiser.sampling.isFlow {
                (x, denoised) = try flow(denoiser, x, sigma, next, &noise)
            } else {
                (x, denoised) = try varianceExploding(denoiser, x, sigma, next)
            }
            if next > 0 && (usesUnconditional || !denoiser.sampling.isFlow) {
                let added = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta).up * noiseScale
                x = try Elementwise.zip(x, noise.next()) { $0 + $1 * added }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    /// The halfway level and the four factors of the two updates between two levels, in λ = −ln σ.
    private func factors(
        _ sigma: Float, _ down: Float
    ) -> (middle: Float, keep1: Float, take1: Float, keep2: Float, take2: Float) {
        let (time, nextTime) = (-log(sigma), -log(down))
        let h = nextTime - time
        let middle = exp(-(time + 0.5 * h))
        return (middle, middle / sigma, -expm1(-h * 0.5), down / sigma, -expm1(-h))
    }

    private func varianceExploding(
        _ denoiser: any Denoiser, _ x: Tensor, _ sigma: Float, _ next: Float
    ) throws -> (x: Tensor, denoised: Tensor) {
        let down = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta).down
        let denoised = try denoiser(x, sigma)
        if down == 0 { return (try SamplerStep.euler(x, denoised, from: sigma, to: 0), denoised) }
        let f = factors(sigma, down)
        let half = try Elementwise.zip(x, denoised) { f.keep1 * $0 + f.take1 * $1 }
        return (try Elementwise.zip(x, denoiser(half, f.middle)) { f.keep2 * $0 + f.take2 * $1 }, denoised)
    }

    private func guided(
        _ denoiser: any Denoiser, _ x: Tensor, _ sigma: Float, _ next: Float
    ) throws -> (x: Tensor, denoised: Tensor) {
        let down = AncestralSplit.varianceExploding(from: sigma, to: next, eta: eta).down
        let (denoised, unconditional) = try denoiser.withUnconditional(x, sigma)
        if down == 0 { return (denoised, denoised) }
        let f = factors(sigma, down)
        let half = try Elementwise.zip(x, denoised, unconditional) {
            f.keep1 * ($0 + ($1 - $2)) + f.take1 * $1
        }
        let second = try denoiser.withUnconditional(half, f.middle)
        let result = try Elementwise.zip(x, denoised, second.unconditional, second.denoised) {
            f.keep2 * ($0 + ($1 - $2)) + f.take2 * $3
        }
        return (result, denoised)
    }

    private func flow(
        _ denoiser: any Denoiser, _ x: Tensor, _ sigma: Float, _ next: Float, _ noise: inout StepNoise
    ) throws -> (x: Tensor, denoised: Tensor) {
        let (down, scale, renoise) = AncestralSplit.flow(from: sigma, to: next, eta: eta)
        let denoised = try denoiser(x, sigma)
        if next == 0 { return (try SamplerStep.euler(x, denoised, from: sigma, to: down), denoised) }
        var middle: Float = 0.9999
        if sigma != 1 {
            let (lambda, nextLambda) = (log((1 - sigma) / sigma), log((1 - down) / down))
            middle = 1 / (exp(lambda + 0.5 * (nextLambda - lambda)) + 1)
        }
        let toMiddle = middle / sigma
        let half = try Elementwise.zip(x, denoised) { toMiddle * $0 + (1 - toMiddle) * $1 }
        let toDown = down / sigma
        let second = try denoiser(half, middle)
        guard eta > 0 else {
            return (try Elementwise.zip(x, second) { toDown * $0 + (1 - toDown) * $1 }, denoised)
        }
        let added = renoise * noiseScale
        let result = try Elementwise.zip(x, second, noise.next()) {
            scale * (toDown * $0 + (1 - toDown) * $1) + $2 * added
        }
        return (result, denoised)
    }
}
