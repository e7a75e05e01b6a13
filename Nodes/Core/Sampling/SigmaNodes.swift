import Diffusion
import JSON
import NodeKit
import Sampling

/// A schedule in two parts, which have a level in common.
struct SplitSigmas: Node {
    static let info = NodeInfo("SplitSigmas", category: "sampling/custom_sampling/sigmas")

    @Input var sigmas: Sigmas
    @Input(.range(0...10000)) var step = 0
    @Output("high_sigmas") var high: Sigmas
    @Output("low_sigmas") var low: Sigmas

    func run(_ context: NodeContext) async throws {
        let parts = SigmaOperations.split(sigmas.values, at: step)
        (high, low) = (Sigmas(parts.high), Sigmas(parts.low))
    }
}

/// A schedule in two parts, the second with a share of the steps.
struct SplitSigmasDenoise: Node {
    static let info = NodeInfo("SplitSigmasDenoise", category: "sampling/custom_sampling/sigmas")

    @Input var sigmas: Sigmas
    @Input(.range(0.0...1.0), .step(0.01)) var denoise = 1.0
    @Output("high_sigmas") var high: Sigmas
    @Output("low_sigmas") var low: Sigmas

    func run(_ context: NodeContext) async throws {
        let parts = SigmaOperations.split(sigmas.values, denoise: denoise)
        (high, low) = (Sigmas(parts.high), Sigmas(parts.low))
    }
}

/// A schedule backwards, from picture to noise.
struct FlipSigmas: Node {
    static let info = NodeInfo("FlipSigmas", category: "sampling/custom_sampling/sigmas")

    @Input var sigmas: Sigmas
    @Output var flipped: Sigmas

    func run(_ context: NodeContext) async throws {
        flipped = Sigmas(SigmaOperations.flipped(sigmas.values))
    }
}

/// A schedule with another first level.
struct SetFirstSigma: Node {
    static let info = NodeInfo("SetFirstSigma", category: "sampling/custom_sampling/sigmas")

    @Input var sigmas: Sigmas
    @Input(.range(0.0...20000.0), .step(0.001), .option("round", .bool(false))) var sigma = 136.0
    @Output var changed: Sigmas

    func run(_ context: NodeContext) async throws {
        changed = sigmas
        if !sigmas.values.isEmpty { changed.values[0] = Float(sigma) }
    }
}

/// A schedule whose steps between two levels are divided.
struct ExtendIntermediateSigmas: Node {
    static let info = NodeInfo("ExtendIntermediateSigmas", category: "sampling/custom_sampling/sigmas")

    @Input var sigmas: Sigmas
    @Input(.range(1...100)) var steps = 2
    @Input(.range(-1.0...20000.0), .step(0.01), .option("round", .bool(false))) var startAtSigma = -1.0
    @Input(.range(0.0...20000.0), .step(0.01), .option("round", .bool(false))) var endAtSigma = 12.0
    @Input(.choices(["linear", "cosine", "sine"])) var spacing: String
    @Output var extended: Sigmas

    func run(_ context: NodeContext) async throws {
        try requireInRange(steps, "steps", 1...1000)
        extended = Sigmas(
            SigmaOperations.extended(
                sigmas.values, steps: steps, from: startAtSigma, to: endAtSigma, try choice(spacing, "spacing")))
    }
}

/// The noise level after a fraction of a full run.
struct SamplingPercentToSigma: Node {
    static let info = NodeInfo("SamplingPercentToSigma", category: "sampling/custom_sampling/sigmas")

    @Input(.tooltip("The model whose noise levels are asked for.")) var model: DiffusionModel
    @Input(.range(0.0...1.0), .step(0.0001)) var samplingPercent = 0.0
    @Input var returnActualSigma = false
    @Output("sigma_value") var sigma: Double

    func run(_ context: NodeContext) async throws {
        if returnActualSigma, samplingPercent == 0 || samplingPercent == 1 {
            // Beyond the ends of the table the formula gives numbers that only compare rightly.
            sigma = Double(samplingPercent == 0 ? model.sampling.sigmaMax : model.sampling.sigmaMin)
        } else {
            sigma = model.sampling.percentToSigma(samplingPercent)
        }
    }
}
