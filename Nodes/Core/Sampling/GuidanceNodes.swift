import Diffusion
import JSON
import NodeKit
import Sampling
import Tensors

/// The guided estimate limited to the norm of the positive's (``ProjectedGuidance/limitedToPositive(_:strength:)``).
struct CFGNorm: Node {
    static let info = NodeInfo("CFGNorm", category: "advanced/guidance", style: .v3).experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...100.0), .step(0.01)) var strength = 1.0
    @Output("patched_model") var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let strength = Float(strength)
        result = model.adjustingGuidance { try ProjectedGuidance.limitedToPositive($0, strength: strength) }
    }
}

/// CFG-Zero* (``ProjectedGuidance/zeroStar(_:)``).
struct CFGZeroStar: Node {
    static let info = NodeInfo("CFGZeroStar", category: "advanced/guidance", style: .v3)

    @Input var model: DiffusionModel
    @Output("patched_model") var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model.adjustingGuidance { try ProjectedGuidance.zeroStar($0) }
    }
}

/// Tangential damping (``ProjectedGuidance/dampTangentially(_:)``).
struct TCFG: Node {
    static let info = NodeInfo(
        "TCFG", displayName: "Tangential Damping CFG", category: "advanced/guidance", style: .v3)

    @Input var model: DiffusionModel
    @Output("patched_model") var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model.adjustingEstimates { { try ProjectedGuidance.dampTangentially(&$0) } }
    }
}

/// Adaptive projected guidance (``ProjectedGuidance/adaptive(eta:threshold:momentum:)``).
struct APG: Node {
    static let info = NodeInfo(
        "APG", displayName: "Adaptive Projected Guidance", category: "sampling/custom_sampling", style: .v3)

    @Input var model: DiffusionModel
    @Input(.range(-10.0...10.0), .step(0.01), .tooltip("Weight of the part along the positive estimate.")) var eta = 1.0
    @Input(.range(0.0...50.0), .step(0.1), .tooltip("Largest norm of the guidance; 0: no limit."))
    var normThreshold = 5.0
    @Input(.range(-5.0...1.0), .step(0.01), .tooltip("Share of earlier steps' guidance; 0: none.")) var momentum = 0.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model.adjustingEstimates(
            ProjectedGuidance.adaptive(
                eta: Float(eta), threshold: Float(normThreshold), momentum: Float(momentum)))
        if momentum != 0 { result[RemembersEvaluations.self] = true }
    }
}

/// Guidance with its low and high frequencies weighted (``FrequencyGuidance``).
struct FreSca: Node {
    static let info = NodeInfo("FreSca", displayName: "FreSca", category: "_for_testing", style: .v3).experimental

    @Input var model: DiffusionModel
    @Input(.option("min", .int(0)), .option("max", .int(10)), .step(0.01), .tooltip("Factor of low frequencies."))
    var scaleLow = 1.0
    @Input(.option("min", .int(0)), .option("max", .int(10)), .step(0.01), .tooltip("Factor of high frequencies."))
    var scaleHigh = 1.25
    @Input(.range(1...10000), .step(1), .tooltip("How many frequencies around 0 are low.")) var freqCutoff = 20
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        try requireInRange(freqCutoff, "freq_cutoff", 1...1_048_576)
        let (low, high, cutoff) = (Float(scaleLow), Float(scaleHigh), freqCutoff)
        result = model.adjustingEstimates {
            { try FrequencyGuidance.scale(&$0, low: low, high: high, cutoff: cutoff) }
        }
    }
}

/// Smaller steps against accumulated errors (``ProjectedGuidance/scaledNoise(_:factor:)``).
struct EpsilonScaling: Node {
    static let info = NodeInfo("Epsilon Scaling", category: "model_patches/unet", style: .v3)

    @Input var model: DiffusionModel
    @Input(.range(0.5...1.5), .step(0.001), .option("display", .string("number"))) var scalingFactor = 1.005
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let factor = scalingFactor == 0 ? Float(1e-9) : Float(scalingFactor)
        result = model.adjustingGuidance { try ProjectedGuidance.scaledNoise($0, factor: factor) }
    }
}

/// Steps whose network outputs are taken over from earlier ones (``ChangeTracker``).
struct EasyCache: Node {
    static let info = NodeInfo("EasyCache", displayName: "EasyCache", category: "advanced/debug/model", style: .v3)
        .experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...3.0), .step(0.01), .tooltip("Relative change up to which outputs are used again."))
    var reuseThreshold = 0.2
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of the run before which every step is computed."))
    var startPercent = 0.15
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of the run after which every step is computed."))
    var endPercent = 0.95
    @Input var verbose = false
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let (threshold, range) = (reuseThreshold, PercentRange(start: startPercent, end: endPercent))
        result = model
        result[EvaluationShortcuts.self] = { sampling in
            EvaluationReuse(ChangeTracker(threshold: threshold, range: range, sampling: sampling))
        }
        result[RemembersEvaluations.self] = true
    }
}

extension DiffusionModel {
    /// The model with another function after the guidance formula.
    func adjustingGuidance(_ function: @escaping @Sendable (GuidanceInputs) throws -> Tensor) -> DiffusionModel {
        var result = self
        result[GuidanceAdjustments.self] = (self[GuidanceAdjustments.self] ?? []) + [function]
        return result
    }

    /// The model with another function before the guidance formula, made anew for every run.
    func adjustingEstimates(
        _ make: @escaping @Sendable () -> (inout GuidanceInputs) throws -> Void
    ) -> DiffusionModel {
        var result = self
        result[EstimateAdjustments.self] = (self[EstimateAdjustments.self] ?? []) + [make]
        return result
    }
}
