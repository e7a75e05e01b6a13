public import Diffusion
import Glibc
public import Tensors

/// SA-Solver, stochastic Adams predictor–corrector methods (Xue et al. 2023): Lagrange interpolation of the last
/// estimates in λ, integrated exactly against the exponential of the process with stochasticity τ(σ).
public struct SASolverSampler: Sampler {
    /// The method's numbers.
    public struct Parameters: Sendable {
        public var predictorOrder = 3
        /// 0 switches the corrector off.
        public var correctorOrder = 4
        /// Whether D is evaluated again after a correction.
        public var evaluatesAgain = false
        /// Stochasticity τ between the two percentages of a run; 0 elsewhere.
        public var eta: Float = 1
        public var startPercent = 0.2
        public var endPercent = 0.8
        public var noiseScale: Float = 1
        public init() {}
    }

    public let name: String
    private let parameters: Parameters

    public init(_ parameters: Parameters = Parameters()) {
        self.parameters = parameters
        name = parameters.evaluatesAgain ? "sa_solver_pece" : "sa_solver"
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var source = StepNoise(seed: seed, shape: start.shape)
        let sampling = denoiser.sampling
        let snr = LogSNR(sampling)
        let sigmas = LogSNR.finite(given, sampling)
        let lambdas = sigmas.map(snr.lambda)
        let endsInZero = sigmas[sigmas.count - 1] == 0
        let stochastic = SigmaRange(
            PercentRange(start: parameters.startPercent, end: parameters.endPercent), sampling)
        let kept = max(parameters.predictorOrder, parameters.correctorOrder, 1)

        var x = start
        var predicted = start
        var carried: (h: Float, tau: Float, noise: Tensor?) = (0, 0, nil)
        var estimates: [Tensor] = []
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            var denoised = try denoiser(predicted, sigma)
            let before = predicted
            estimates.append(denoised)
            if estimates.count > kept { estimates.removeFirst() }
            var predictorOrder = min(parameters.predictorOrder, estimates.count)
            var correctorOrder = min(parameters.correctorOrder, estimates.count)
            if step == 0 || (next == 0 && !parameters.evaluatesAgain) { correctorOrder = 0 }
            if endsInZero {
                predictorOrder = min(predictorOrder, sigmas.count - 2 - step)
                correctorOrder = min(correctorOrder, sigmas.count - 1 - step)
            }

            if correctorOrder > 0 {
                x = try advance(
                    x, estimates.suffix(correctorOrder), lambdas[(step - correctorOrder + 1)...step],
                    from: (sigmas[step - 1], lambdas[step - 1]), to: (sigma, lambdas[step]), tau: carried.tau,
                    alpha: snr.alpha(sigma, lambdas[step]))
                if let noise = carried.noise { x = try Elementwise.zip(x, noise) { $0 + $1 } }
                if parameters.evaluatesAgain {
                    denoised = try denoiser(x, sigma)
                    estimates[estimates.count - 1] = denoised
                }
            } else {
                x = predicted
            }

            if next == 0 {
                x = denoised
            } else {
                let tau = stochastic.contains(next) ? parameters.eta : 0
                let h = lambdas[step + 1] - lambdas[step]
                predicted = try advance(
                    x, estimates.suffix(max(predictorOrder, 1)),
                    lambdas[(step - max(predictorOrder, 1) + 1)...step], from: (sigma, lambdas[step]),
                    to: (next, lambdas[step + 1]), tau: tau, alpha: snr.alpha(next, lambdas[step + 1]))
                carried = (h, tau, nil)
                if tau > 0 && parameters.noiseScale > 0 {
                    let scale = next * (-expm1(-2 * tau * tau * h)).squareRoot() * parameters.noiseScale
                    let added = try Elementwise.map(source.next()) { $0 * scale }
                    carried.noise = added
                    predicted = try Elementwise.zip(predicted, added) { $0 + $1 }
                }
                if step == sigmas.count - 2 { x = predicted }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    /// (σ'/σ)e^{−τ²h}·x + Σ b·D.
    private func advance(
        _ x: Tensor, _ estimates: ArraySlice<Tensor>, _ nodes: ArraySlice<Float>, from: (sigma: Float, lambda: Float),
        to: (sigma: Float, lambda: Float), tau: Float, alpha: Float
    ) throws -> Tensor {
        let h = to.lambda - from.lambda
        let keep = to.sigma / from.sigma * exp(-tau * tau * h)
        var result = try Elementwise.map(x) { keep * $0 }
        let weights = Self.coefficients(
            nodes.map(Double.init), from: Double(from.lambda), to: Double(to.lambda), tau: Double(tau))
        for (estimate, weight) in zip(estimates, weights) {
            let weight = alpha * Float(weight)
            result = try Elementwise.zip(result, estimate) { $0 + weight * $1 }
        }
        return result
    }

    /// κ∫ₛᵗ e^{κ(u−t)} Lⱼ(u) du with κ = 1 + τ², for the Lagrange polynomials of the nodes.
    private static func coefficients(_ nodes: [Double], from s: Double, to t: Double, tau: Double) -> [Double] {
        // Shifted to the end of the interval, which changes nothing and keeps the powers small.
        let shifted = nodes.map { $0 - t }
        let start = s - t
        let kappa = 1 + tau * tau
        let decay = exp(kappa * start)
        var moments = [-expm1(kappa * start)]
        var power = 1.0
        for p in 1..<max(nodes.count, 1) {
            power *= start
            moments.append(-power * decay - Double(p) / kappa * moments[p - 1])
        }
        // Σⱼ bⱼ λⱼᵖ = Iₚ.
        let rows = moments.indices.map { p in
            shifted.map { node in (0..<p).reduce(1.0) { product, _ in product * node } }
        }
        return LinearSystem.solve(rows, moments)
    }
}
