public import Diffusion

/// A way to lay n steps over a model's noise levels.
public struct Scheduler: Sendable {
    public let name: String
    /// Descending noise levels for a number of steps (at least 1), usually one more than steps and ending in 0.
    public let sigmas: @Sendable (_ sampling: any ModelSampling, _ steps: Int) throws -> [Float]

    public init(_ name: String, _ sigmas: @escaping @Sendable (any ModelSampling, Int) throws -> [Float]) {
        self.name = name
        self.sigmas = sigmas
    }
}

/// The schedulers by name.
public enum Schedulers {
    /// In the reference's order.
    public static let all: [Scheduler] = [
        Scheduler("simple", ScheduleFormulas.simple),
        Scheduler("sgm_uniform") { ScheduleFormulas.uniform($0, $1, withoutLast: true) },
        Scheduler("karras") { sampling, steps in
            ScheduleFormulas.karras(
                steps, low: Double(sampling.sigmaMin), high: Double(sampling.sigmaMax), rho: 7)
        },
        Scheduler("exponential") { sampling, steps in
            ScheduleFormulas.exponential(steps, low: Double(sampling.sigmaMin), high: Double(sampling.sigmaMax))
        },
        Scheduler("ddim_uniform", ScheduleFormulas.ddimUniform),
        Scheduler("beta") { try ScheduleFormulas.beta($0, $1, alpha: 0.6, beta: 0.6) },
        Scheduler("normal") { ScheduleFormulas.uniform($0, $1, withoutLast: false) },
        Scheduler("linear_quadratic") { ScheduleFormulas.linearQuadratic($0, $1) },
        Scheduler("kl_optimal", ScheduleFormulas.klOptimal),
    ]

    /// - Throws: ``SamplingError/Code/unknownName``, listing what exists.
    public static func named(_ name: String) throws -> Scheduler {
        guard let scheduler = all.first(where: { $0.name == name }) else {
            throw SamplingError(
                .unknownName, "no scheduler \"\(name)\"; there are: \(all.map(\.name).joined(separator: ", "))")
        }
        return scheduler
    }
}

/// The noise levels of a run from a scheduler's name and the numbers of a node.
public enum Schedule {
    /// Samplers for which `KSampler` makes the schedule one step longer and removes its second to last level.
    static let droppingPenultimate: Set<String> = ["dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"]
    /// More steps than this are a mistake (a denoise of almost 0 asks for steps/denoise of them).
    static let maximumSteps = 1_000_000

    /// The levels of `steps` steps.
    ///
    /// - Parameters:
    ///   - denoise: below 0.9999 the schedule of ⌊steps/denoise⌋ steps is cut to its last steps + 1 levels; 0 and less
    ///     give an empty schedule.
    ///   - forSampler: name of the sampler, for the rule of `KSampler`; `nil` for `BasicScheduler`, which has none.
    /// - Throws: ``SamplingError/Code/unknownName``, ``SamplingError/Code/parameter``.
    public static func sigmas(
        _ name: String, sampling: any ModelSampling, steps: Int, denoise: Double = 1, forSampler sampler: String? = nil
    ) throws -> [Float] {
        let scheduler = try Schedulers.named(name)
        guard steps >= 1, steps <= maximumSteps else {
            throw SamplingError(.parameter, "a schedule has 1 to \(maximumSteps) steps; found \(steps)")
        }
        guard !denoise.isNaN else { throw SamplingError(.parameter, "denoise is not a number") }
        if denoise <= 0 { return [] }
        let drops = sampler.map(droppingPenultimate.contains) ?? false
        func levels(_ count: Int) throws -> [Float] {
            var sigmas = try scheduler.sigmas(sampling, drops ? count + 1 : count)
            if drops && sigmas.count >= 2 { sigmas.remove(at: sigmas.count - 2) }
            return sigmas
        }
        if denoise > 0.9999 { return try levels(steps) }
        let longer = Double(steps) / denoise
        guard longer <= Double(maximumSteps) else {
            throw SamplingError(
                .parameter, "denoise \(denoise) with \(steps) steps asks for a schedule of \(longer) steps")
        }
        return try levels(Int(longer)).suffix(steps + 1)
    }

    /// The part of a schedule that `KSamplerAdvanced` runs.
    ///
    /// - Parameters:
    ///   - start: number of leading steps to leave out; `end`: number of the step at which to stop.
    ///   - returnsLeftoverNoise: if not, a schedule that stops early still ends in 0.
    /// - Returns: nothing if `start` is at or past the end: the latent is then returned unchanged.
    public static func part(_ sigmas: [Float], from start: Int, to end: Int, returnsLeftoverNoise: Bool) -> [Float] {
        var sigmas = sigmas
        if end >= 0, end < sigmas.count - 1 {
            sigmas = Array(sigmas.prefix(end + 1))
            if !returnsLeftoverNoise { sigmas[sigmas.count - 1] = 0 }
        }
        return start < sigmas.count - 1 ? Array(sigmas.dropFirst(max(start, 0))) : []
    }
}
