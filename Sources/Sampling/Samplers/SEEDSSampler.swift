public import Diffusion
import Glibc
public import Tensors

/// SEEDS, stochastic exponential integrators of 2 or 3 stages (Gonzalez et al. 2023, "SEEDS: Exponential SDE solvers for
/// fast high-quality sampling from diffusion models"). One noise path runs through the stages of a step.
public struct SEEDSSampler: Sampler {
    public let name: String
    private let stages: Int
    private let eta: Float
    private let noiseScale: Float

    /// - Parameter stages: 2 or 3.
    public init(stages: Int, eta: Float = 1, noiseScale: Float = 1) {
        self.stages = stages <= 2 ? 2 : 3
        self.eta = eta
        self.noiseScale = noiseScale
        name = "seeds_\(self.stages)"
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let sigmas = LogSNR.finite(given, denoiser.sampling)
        var path = Path(
            snr: LogSNR(denoiser.sampling), eta: eta, noiseScale: noiseScale,
            source: StepNoise(seed: seed, shape: start.shape))
        var x = start
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            if next == 0 {
                x = denoised
            } else {
                path.begin(from: sigma, to: next)
                x =
                    stages == 2
                    ? try twoStages(denoiser, x, denoised, next, &path)
                    : try threeStages(denoiser, x, denoised, next, &path)
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    private func twoStages(
        _ denoiser: any Denoiser, _ x: Tensor, _ denoised: Tensor, _ next: Float, _ path: inout Path
    ) throws -> Tensor {
        let ratio: Float = 0.5
        let middle = path.level(at: ratio)
        let first = try path.state(x, at: ratio, middle, path.alpha(middle), [(-expm1(-ratio * path.g), denoised)])
        let second = try denoiser(first, middle)
        let factor = 1 / (2 * ratio)
        let mixed = try Elementwise.zip(denoised, second) { $0 + factor * ($1 - $0) }
        return try path.state(x, at: 1, next, path.alpha(next), [(-expm1(-path.g), mixed)])
    }

    private func threeStages(
        _ denoiser: any Denoiser, _ x: Tensor, _ denoised: Tensor, _ next: Float, _ path: inout Path
    ) throws -> Tensor {
        func phi(_ u: Float) -> Float { (expm1(u) - u) / u }
        let (ratio1, ratio2): (Float, Float) = (1 / 3, 2 / 3)
        let g = path.g
        let middle1 = path.level(at: ratio1)
        let first = try path.state(
            x, at: ratio1, middle1, path.alpha(middle1), [(-expm1(-ratio1 * g), denoised)])
        let second = try denoiser(first, middle1)

        let middle2 = path.level(at: ratio2)
        let a2 = ratio2 / ratio1 * phi(-ratio2 * g)
        let a1 = expm1(-ratio2 * g) - a2
        let state2 = try path.state(x, at: ratio2, middle2, path.alpha(middle2), [(-a1, denoised), (-a2, second)])
        let third = try denoiser(state2, middle2)

        let b3 = phi(-g) / ratio2
        let b1 = expm1(-g) - b3
        return try path.state(x, at: 1, next, path.alpha(next), [(-b1, denoised), (-b3, third)])
    }

    /// The levels and the noise of one step: z(r) grows from stage to stage.
    private struct Path {
        let snr: LogSNR
        let eta: Float
        let noiseScale: Float
        var source: StepNoise
        private var sigma: Float = 0
        private var lambda: Float = 0
        private var h: Float = 0
        private var reached: Float = 0
        private var noise: Tensor?

        init(snr: LogSNR, eta: Float, noiseScale: Float, source: StepNoise) {
            self.snr = snr
            self.eta = eta
            self.noiseScale = noiseScale
            self.source = source
        }

        /// h·(1 + η).
        var g: Float { h * (1 + eta) }

        mutating func begin(from sigma: Float, to next: Float) {
            self.sigma = sigma
            lambda = snr.lambda(sigma)
            h = snr.lambda(next) - lambda
            reached = 0
            noise = nil
        }

        /// The noise level after the part `ratio` of the step.
        func level(at ratio: Float) -> Float { snr.sigma(lambda + ratio * h) }
        func alpha(_ level: Float) -> Float { snr.alpha(level, snr.lambda(level)) }

        /// (σᵣ/σ)e^{−rhη}·x + αᵣ·Σ weight·estimate + σᵣ·z(r).
        mutating func state(
            _ x: Tensor, at ratio: Float, _ level: Float, _ alpha: Float, _ terms: [(weight: Float, value: Tensor)]
        ) throws -> Tensor {
            let keep = level / sigma * exp(-ratio * h * eta)
            var result = try Elementwise.map(x) { keep * $0 }
            for term in terms {
                let weight = alpha * term.weight
                result = try Elementwise.zip(result, term.value) { $0 + weight * $1 }
            }
            guard eta > 0 && noiseScale > 0 else { return result }
            let stretch = (reached - ratio) * h * eta
            let deviation = (-expm1(2 * stretch)).squareRoot()
            let fresh = try source.next()
            let path: Tensor
            if let noise {
                let carried = exp(stretch)
                path = try Elementwise.zip(noise, fresh) { carried * $0 + deviation * $1 }
            } else {
                path = try Elementwise.map(fresh) { deviation * $0 }
            }
            noise = path
            reached = ratio
            let scale = level * noiseScale
            return try Elementwise.zip(result, path) { $0 + scale * $1 }
        }
    }
}
