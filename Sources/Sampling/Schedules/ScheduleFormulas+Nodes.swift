public import Diffusion
import Glibc

/// Schedules that have nodes of their own (spec: families-unet-sampling.md §10).
extension ScheduleFormulas {
    /// `KarrasScheduler`, with its numbers checked.
    ///
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func karras(steps: Int, low: Double, high: Double, rho: Double) throws -> [Float] {
        try require(steps: steps, low, high)
        guard rho > 0 else { throw SamplingError(.parameter, "rho must be above 0; found \(rho)") }
        return karras(steps, low: low, high: high, rho: rho)
    }

    /// `ExponentialScheduler`, with its numbers checked.
    ///
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func exponential(steps: Int, low: Double, high: Double) throws -> [Float] {
        try require(steps: steps, low, high)
        return exponential(steps, low: low, high: high)
    }

    /// A polynomial in log σ: exp(rᵖ·(ln high − ln low) + ln low), r from 1 to 0; then 0.
    ///
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func polyexponential(steps: Int, low: Double, high: Double, rho: Double) throws -> [Float] {
        try require(steps: steps, low, high)
        let (range, start) = (Float(log(high) - log(low)), Float(log(low)))
        return linearSpace(1, 0, steps).map { exp(pow($0, Float(rho)) * range + start) } + [0]
    }

    /// log σ distributed as Laplace's distribution about `mu` (Hang and Gu 2024, "Improved noise schedule for diffusion
    /// training"), clamped to low…high; no 0 at the end.
    ///
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func laplace(
        steps: Int, low: Double, high: Double, mu: Double, beta: Double
    ) throws -> [Float] {
        try require(steps: steps)
        let (mu, beta, low, high) = (Float(mu), Float(beta), Float(low), Float(high))
        return linearSpace(0, 1, steps).map { x in
            let side: Float = x < 0.5 ? 1 : x > 0.5 ? -1 : 0
            let logarithm = mu - beta * side * log(1 - 2 * abs(0.5 - x) + 1e-5)
            return min(max(exp(logarithm), low), high)
        }
    }

    /// The variance-preserving process of Song et al. 2021: √(e^{β_d t²/2 + β_min t} − 1), t from 1 to `end`; then 0.
    ///
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func variancePreserving(
        steps: Int, betaRange: Double, betaMinimum: Double, end: Double
    ) throws -> [Float] {
        try require(steps: steps)
        let (range, minimum) = (Float(betaRange), Float(betaMinimum))
        return linearSpace(1, Float(end), steps).map { t in expm1(range * (t * t) / 2 + minimum * t).squareRoot() } + [
            0
        ]
    }

    /// Every hundredth training step from 999 on, as the distilled SD and SDXL Turbo were trained; then 0.
    ///
    /// - Parameter denoise: below 1 the first steps are left out.
    /// - Throws: ``SamplingError/Code/parameter`` unless there are 1 to 10 steps.
    public static func turbo(_ sampling: any ModelSampling, steps: Int, denoise: Double) throws -> [Float] {
        guard (1...10).contains(steps), denoise >= 0, denoise <= 1 else {
            throw SamplingError(
                .parameter,
                "this schedule has 1 to 10 steps and a denoise from 0 to 1; found \(steps) steps, denoise \(denoise)")
        }
        let times = (1...10).map { Float($0 * 100 - 1) }.reversed().dropFirst(10 - Int(10 * denoise)).prefix(steps)
        return times.map(sampling.sigma(timestep:)) + [0]
    }

    /// Which model the steps of ``alignYourSteps(_:steps:denoise:)`` were optimised for.
    public enum AlignedModel: String, Sendable, Hashable, CaseIterable {
        case sd1 = "SD1"
        case sdxl = "SDXL"
        case svd = "SVD"

        /// Eleven noise levels: for SD1 and SDXL those of the published training steps.
        var levels: [Double] {
            let steps: [Int]
            switch self {
            case .sd1: steps = [999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0]
            case .sdxl: steps = [999, 845, 730, 587, 443, 310, 193, 116, 53, 13, 0]
            case .svd: return [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]
            }
            let table = DiscreteSampling().table
            return steps.map { Double(table[$0]) }
        }
    }

    /// Sabour et al. 2024, "Align Your Steps": optimised schedules of ten steps, interpolated in log σ for other numbers.
    ///
    /// - Parameter denoise: the share of the steps that are kept, from the end; 0 gives an empty schedule.
    /// - Throws: ``SamplingError/Code/parameter``.
    public static func alignYourSteps(_ model: AlignedModel, steps: Int, denoise: Double) throws -> [Float] {
        try require(steps: steps)
        guard denoise > 0 else { return [] }
        let kept = denoise < 1 ? Int((Double(steps) * denoise).rounded(.toNearestOrEven)) : steps
        var levels = model.levels
        if steps + 1 != levels.count { levels = logarithmicallyInterpolated(levels, count: steps + 1) }
        var sigmas = levels.suffix(kept + 1).map { Float($0) }
        sigmas[sigmas.count - 1] = 0
        return sigmas
    }

    /// The curve through descending positive values at even distances, read at `count` points.
    private static func logarithmicallyInterpolated(_ values: [Double], count: Int) -> [Double] {
        let logarithms = values.map { log($0) }
        let last = values.count - 1
        return (0..<count).map { index in
            let position = Double(index) / Double(max(count - 1, 1)) * Double(last)
            let low = min(Int(position), last - 1)
            let part = position - Double(low)
            return exp(logarithms[low] + (logarithms[low + 1] - logarithms[low]) * part)
        }
    }

    private static func require(steps: Int, _ low: Double? = nil, _ high: Double? = nil) throws(SamplingError) {
        guard (1...Schedule.maximumSteps).contains(steps) else {
            throw SamplingError(.parameter, "a schedule has 1 to \(Schedule.maximumSteps) steps; found \(steps)")
        }
        if let low, let high, !(low > 0 && high > 0 && low.isFinite && high.isFinite) {
            throw SamplingError(
                .parameter, "sigma_min and sigma_max must be above 0; found \(low) and \(high)")
        }
    }
}
