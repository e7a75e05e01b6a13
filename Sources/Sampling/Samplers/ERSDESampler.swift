public import Diffusion
import Glibc
public import Tensors

/// Extended reverse-time SDE solvers (Cui et al. 2023, "Elucidating the solution space of extended reverse-time SDE for
/// diffusion models"), VP ER-SDE-Solver-3 with its default noise function, in e = σ/α.
public struct ERSDESampler: Sampler {
    public let name = "er_sde"
    private let stages: Int
    private let noiseScale: Float
    private let process: Process
    private static let points = 200

    /// How much noise is replaced at e.
    public enum Process: Sendable, Hashable {
        /// f(u) = u·(e^{u^0.3} + 10), the paper's ER-SDE 5.
        case extended
        /// f(u) = u^{η+1}: the reverse-time SDE for η = 1, the probability-flow ODE for η = 0.
        case reverseTime(eta: Float)
    }

    /// - Parameter stages: order of the solver, 1 to 3.
    public init(stages: Int = 3, noiseScale: Float = 1, process: Process = .extended) {
        self.stages = min(max(stages, 1), 3)
        self.noiseScale = noiseScale
        self.process = process
    }

    private func noiseFunction(_ u: Float) -> Float {
        switch process {
        case .extended: u * (exp(pow(u, 0.3)) + 10)
        case .reverseTime(let eta): pow(u, eta + 1)
        }
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var noise = StepNoise(seed: seed, shape: start.shape)
        let snr = LogSNR(denoiser.sampling)
        let sigmas = LogSNR.finite(given, denoiser.sampling)
        let lambdas = sigmas.map(snr.lambda)
        let levels = lambdas.map { exp(-$0) }
        var x = start
        var previous: (denoised: Tensor, difference: Tensor?)?
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            var difference: Tensor?
            if next == 0 {
                x = denoised
            } else {
                let (level, nextLevel) = (levels[step], levels[step + 1])
                let alpha = snr.alpha(sigma, lambdas[step])
                let nextAlpha = snr.alpha(next, lambdas[step + 1])
                let nextNoise = noiseFunction(nextLevel)
                let ratio = nextNoise / noiseFunction(level)
                let (keep, take) = (nextAlpha / alpha * ratio, nextAlpha * (1 - ratio))
                x = try Elementwise.zip(x, denoised) { keep * $0 + take * $1 }
                if let previous, stages >= 2 {
                    let length = nextLevel - level
                    let stride = -length / Float(Self.points)
                    let places = (0..<Self.points).map { nextLevel + Float($0) * stride }
                    let sum = places.reduce(Float(0)) { $0 + 1 / noiseFunction($1) } * stride
                    let span = level - levels[step - 1]
                    let first = try Elementwise.zip(denoised, previous.denoised) { ($0 - $1) / span }
                    difference = first
                    let weight = nextAlpha * (length + sum * nextNoise)
                    x = try Elementwise.zip(x, first) { $0 + weight * $1 }
                    if let older = previous.difference, stages >= 3 {
                        let moment =
                            places.reduce(Float(0)) { $0 + ($1 - level) / noiseFunction($1) } * stride
                        let half = (level - levels[step - 2]) / 2
                        let weight = nextAlpha * (length * length / 2 + moment * nextNoise)
                        x = try Elementwise.zip(x, first, older) { $0 + weight * (($1 - $2) / half) }
                    }
                }
                if noiseScale > 0 {
                    let variance = nextLevel * nextLevel - level * level * ratio * ratio
                    let deviation = variance.squareRoot()
                    let added = nextAlpha * noiseScale * (deviation.isNaN ? 0 : deviation)
                    x = try Elementwise.zip(x, noise.next()) { $0 + added * $1 }
                }
            }
            previous = (denoised, difference)
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
