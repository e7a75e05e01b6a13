import Diffusion
import JSON
import NodeKit
import Sampling

/// Karras' schedule between two noise levels (families-unet-sampling.md §10).
struct KarrasScheduler: Node {
    static let info = NodeInfo("KarrasScheduler", category: "sampling/custom_sampling/schedulers")

    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMax = 14.614642
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMin = 0.0291675
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var rho = 7.0
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(try ScheduleFormulas.karras(steps: steps, low: sigmaMin, high: sigmaMax, rho: rho))
    }
}

/// Even distances in log σ between two noise levels.
struct ExponentialScheduler: Node {
    static let info = NodeInfo("ExponentialScheduler", category: "sampling/custom_sampling/schedulers")

    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMax = 14.614642
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMin = 0.0291675
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(try ScheduleFormulas.exponential(steps: steps, low: sigmaMin, high: sigmaMax))
    }
}

/// A polynomial in log σ between two noise levels.
struct PolyexponentialScheduler: Node {
    static let info = NodeInfo("PolyexponentialScheduler", category: "sampling/custom_sampling/schedulers")

    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMax = 14.614642
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMin = 0.0291675
    @Input(.range(0.0...100.0), .step(0.01), .option("round", .bool(false))) var rho = 1.0
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(try ScheduleFormulas.polyexponential(steps: steps, low: sigmaMin, high: sigmaMax, rho: rho))
    }
}

/// log σ distributed as Laplace's distribution.
struct LaplaceScheduler: Node {
    static let info = NodeInfo("LaplaceScheduler", category: "sampling/custom_sampling/schedulers")

    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMax = 14.614642
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var sigmaMin = 0.0291675
    @Input(.range(-10.0...10.0), .step(0.1), .option("round", .bool(false))) var mu = 0.0
    @Input(.range(0.0...10.0), .step(0.1), .option("round", .bool(false))) var beta = 0.5
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(
            try ScheduleFormulas.laplace(steps: steps, low: sigmaMin, high: sigmaMax, mu: mu, beta: beta))
    }
}

/// The variance-preserving schedule.
struct VPScheduler: Node {
    static let info = NodeInfo("VPScheduler", category: "sampling/custom_sampling/schedulers")

    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var betaD = 19.9
    @Input(.range(0.0...5000.0), .step(0.01), .option("round", .bool(false))) var betaMin = 0.1
    @Input(.range(0.0...1.0), .step(0.0001), .option("round", .bool(false))) var epsS = 0.001
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(
            try ScheduleFormulas.variancePreserving(
                steps: steps, betaRange: betaD, betaMinimum: betaMin, end: epsS))
    }
}

/// A model's noise levels at the quantiles of a beta distribution.
struct BetaSamplingScheduler: Node {
    static let info = NodeInfo("BetaSamplingScheduler", category: "sampling/custom_sampling/schedulers")

    @Input var model: DiffusionModel
    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...50.0), .step(0.01), .option("round", .bool(false))) var alpha = 0.6
    @Input(.range(0.0...50.0), .step(0.01), .option("round", .bool(false))) var beta = 0.6
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        try requireInRange(steps, "steps", 1...1_000_000)
        sigmas = Sigmas(try ScheduleFormulas.beta(model.sampling, steps, alpha: alpha, beta: beta))
    }
}

/// The steps that SD Turbo and SDXL Turbo were distilled to.
struct SDTurboScheduler: Node {
    static let info = NodeInfo("SDTurboScheduler", category: "sampling/custom_sampling/schedulers")

    @Input var model: DiffusionModel
    @Input(.range(1...10)) var steps = 1
    @Input(.min(.int(0)), .max(.double(1.0)), .step(0.01)) var denoise = 1.0
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(try ScheduleFormulas.turbo(model.sampling, steps: steps, denoise: denoise))
    }
}

/// Schedules optimised for SD1, SDXL and SVD (Sabour et al. 2024).
struct AlignYourStepsScheduler: Node {
    static let info = NodeInfo("AlignYourStepsScheduler", category: "sampling/custom_sampling/schedulers", style: .v3)

    @Input(.choices(["SD1", "SDXL", "SVD"])) var modelType: String
    @Input(.range(1...10000)) var steps = 10
    @Input(.range(0.0...1.0), .step(0.01)) var denoise = 1.0
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(
            try ScheduleFormulas.alignYourSteps(try choice(modelType, "model_type"), steps: steps, denoise: denoise))
    }
}
