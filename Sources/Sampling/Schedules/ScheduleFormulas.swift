public import Diffusion
import Glibc

/// The formulas of the schedulers, float32 (spec: families-unet-sampling.md §10). `steps` is at least 1.
public enum ScheduleFormulas {
    /// Table entries at even distances from the top.
    @Sendable public static func simple(_ sampling: any ModelSampling, _ steps: Int) -> [Float] {
        let table = sampling.table
        let stride = Double(table.count) / Double(steps)
        return (0..<steps).map { table[max(table.count - 1 - Int(Double($0) * stride), 0)] } + [0]
    }

    /// Even distances in the model's time ("normal"; without the last of one more point: "sgm_uniform"). For shifted
    /// flow models the shift is applied a second time, as in the reference.
    public static func uniform(_ sampling: any ModelSampling, _ steps: Int, withoutLast: Bool) -> [Float] {
        let start = sampling.timestep(sampling.sigmaMax)
        let end = sampling.timestep(sampling.sigmaMin)
        if withoutLast {
            return linearSpace(start, end, steps + 1).dropLast().map(sampling.sigma(timestep:)) + [0]
        }
        if abs(sampling.sigma(timestep: end)) < 1e-5 {
            return linearSpace(start, end, steps + 1).map(sampling.sigma(timestep:))
        }
        return linearSpace(start, end, steps).map(sampling.sigma(timestep:)) + [0]
    }

    /// Karras et al. 2022, equation 5.
    public static func karras(_ steps: Int, low: Double, high: Double, rho: Double) -> [Float] {
        let first = pow(high, 1 / rho)
        let last = pow(low, 1 / rho)
        let (start, difference) = (Float(first), Float(last - first))
        return linearSpace(0, 1, steps).map { pow(start + $0 * difference, Float(rho)) } + [0]
    }

    /// Even distances in log σ.
    public static func exponential(_ steps: Int, low: Double, high: Double) -> [Float] {
        linearSpace(Float(log(high)), Float(log(low)), steps).map { exp($0) } + [0]
    }

    /// Every ⌊N/steps⌋-th table entry from the second on; may give more than steps + 1 levels.
    @Sendable public static func ddimUniform(_ sampling: any ModelSampling, _ steps: Int) -> [Float] {
        let table = sampling.table
        guard table.count > 1 else { return [table.last ?? 1, 0] }
        let endsInZero = table[1] < 1e-5
        let stride = max(table.count / (endsInZero ? steps + 1 : steps), 1)
        let picked = Swift.stride(from: 1, to: table.count, by: stride).map { table[$0] }
        return ((endsInZero ? [] : [0]) + picked).reversed()
    }

    /// Table entries at quantiles of a beta distribution (Lee et al. 2024, "Beta Sampling is All You Need"); repeated
    /// entries are dropped.
    public static func beta(
        _ sampling: any ModelSampling, _ steps: Int, alpha: Double, beta: Double
    ) throws -> [Float] {
        let distribution = try BetaDistribution(a: alpha, b: beta)
        let table = sampling.table
        let last = Double(table.count - 1)
        var sigmas: [Float] = []
        var previous: Int?
        for step in 0..<steps {
            let quantile = distribution.quantile(1 - Double(step) * (1 / Double(steps)))
            let index = Int((quantile * last).rounded(.toNearestOrEven))
            if index != previous { sigmas.append(table[index]) }
            previous = index
        }
        return sigmas + [0]
    }

    /// Half the steps linearly over the first 2.5 %, the rest quadratically (Movie Gen, Polyak et al. 2024).
    public static func linearQuadratic(
        _ sampling: any ModelSampling, _ steps: Int, threshold: Double = 0.025
    ) -> [Float] {
        let top = sampling.sigmaMax
        if steps == 1 { return [top, 0] }
        let linear = steps / 2
        let quadratic = Double(steps - linear)
        let m = Double(linear)
        let difference = m - threshold * Double(steps)
        let a = difference / (m * quadratic * quadratic)
        let b = threshold / m - 2 * difference / (quadratic * quadratic)
        let c = a * m * m
        let values = (0..<steps).map { step -> Double in
            let i = Double(step)
            return step < linear ? i * threshold / m : a * (i * i) + b * i + c
        }
        return (values + [1]).map { Float(1 - $0) * top }
    }

    /// Even distances in atan σ (Sabour et al. 2024, "Align Your Steps", equation 8). One step gives NaN, as in the
    /// reference.
    @Sendable public static func klOptimal(_ sampling: any ModelSampling, _ steps: Int) -> [Float] {
        let low = Float(atan(Double(sampling.sigmaMin)))
        let high = Float(atan(Double(sampling.sigmaMax)))
        return (0..<steps).map { step in
            let part = Float(step) / Float(steps - 1)
            return tan(part * low + (1 - part) * high)
        } + [0]
    }
}
