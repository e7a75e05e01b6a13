public import Diffusion
import Glibc
public import Tensors

/// The single-step DPM-Solver updates of orders 1 to 3 in t = −ln σ (Lu et al. 2022), with the noise estimate
/// e = (x − D)/σ.
struct DPMSolver {
    let denoiser: any Denoiser

    /// Noise estimates that steps from one point share.
    final class Shared {
        var start: Tensor?
        var first: Tensor?
    }

    static func sigma(_ time: Float) -> Float { exp(-time) }

    func noiseEstimate(_ x: Tensor, _ time: Float) throws -> Tensor {
        let sigma = Self.sigma(time)
        return try SamplerStep.slope(x, denoiser(x, sigma), sigma)
    }

    /// x one step of some order later, from `time` to `next`.
    ///
    /// - Parameter ratio: where between the two the (first) intermediate point lies; order 3 has the second at twice it.
    func step(
        order: Int, _ x: Tensor, from time: Float, to next: Float, ratio: Float, shared: Shared
    ) throws -> Tensor {
        let h = next - time
        let estimate = try shared.start ?? noiseEstimate(x, time)
        shared.start = estimate
        let whole = Self.sigma(next) * expm1(h)
        if order == 1 { return try Elementwise.zip(x, estimate) { $0 - whole * $1 } }

        let firstTime = time + ratio * h
        let first = try shared.first ?? point(x, estimate, firstTime, ratio * h)
        shared.first = first
        if order == 2 {
            let correction = Self.sigma(next) / (2 * ratio) * expm1(h)
            return try Elementwise.zip(x, estimate, first) { $0 - whole * $1 - correction * ($2 - $1) }
        }

        let second = 2 * ratio
        let secondTime = time + second * h
        let secondSigma = Self.sigma(secondTime)
        let partial = secondSigma * expm1(second * h)
        let bend = secondSigma * (second / ratio) * (expm1(second * h) / (second * h) - 1)
        let middle = try Elementwise.zip(x, estimate, first) { $0 - partial * $1 - bend * ($2 - $1) }
        let secondEstimate = try noiseEstimate(middle, secondTime)
        let correction = Self.sigma(next) / second * (expm1(h) / h - 1)
        return try Elementwise.zip(x, estimate, secondEstimate) { $0 - whole * $1 - correction * ($2 - $1) }
    }

    /// The noise estimate after a first-order step to an intermediate time.
    private func point(_ x: Tensor, _ estimate: Tensor, _ time: Float, _ h: Float) throws -> Tensor {
        let scale = Self.sigma(time) * expm1(h)
        return try noiseEstimate(Elementwise.zip(x, estimate) { $0 - scale * $1 }, time)
    }

    /// The first and the last positive level as times.
    static func times(_ sigmas: [Float], sampler: String) throws -> (start: Float, end: Float) {
        let last = sigmas[sigmas.count - 1]
        let end = last == 0 ? sigmas[sigmas.count - 2] : last
        guard sigmas[0] > 0, end > 0 else {
            throw SamplingError(.schedule, "\(sampler) needs a schedule that starts above 0; found \(sigmas)")
        }
        return (-log(sigmas[0]), -log(end))
    }
}

/// DPM-Solver-fast: steps of order 3 and a rest of lower order, evenly spaced in −ln σ with as many evaluations as the
/// schedule has steps. Only the schedule's first and last positive level count, also for flow models.
public struct DPMFastSampler: Sampler {
    public let name = "dpm_fast"
    public init() {}

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let solver = DPMSolver(denoiser: denoiser)
        let (first, last) = try DPMSolver.times(sigmas, sampler: name)
        let evaluations = sigmas.count - 1
        let points = evaluations / 3 + 1
        var orders = [Int](repeating: 3, count: max(points - (evaluations.isMultiple(of: 3) ? 2 : 1), 0))
        orders += evaluations.isMultiple(of: 3) ? [2, 1] : [evaluations % 3]
        let times = linearSpace(first, last, points + 1)
        var x = start
        for (step, order) in orders.enumerated() {
            let (time, next) = (times[step], times[step + 1])
            let before = x
            let shared = DPMSolver.Shared()
            x = try solver.step(
                order: order, x, from: time, to: next, ratio: order == 3 ? 1 / 3 : 1 / 2, shared: shared)
            let sigma = DPMSolver.sigma(time)
            let denoised = try shared.start.map { try Elementwise.zip(before, $0) { $0 - sigma * $1 } } ?? before
            try onStep(
                SamplingStep(step: step + 1, total: orders.count, sigma: sigma, x: before, denoised: denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}
