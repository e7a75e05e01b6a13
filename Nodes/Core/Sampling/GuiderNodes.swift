import Diffusion
import NodeKit
import Sampling

/// Guidance by two conditionings (families-unet-sampling.md §13).
struct DualCFGGuiderNode: Node {
    static let info = NodeInfo("DualCFGGuider", category: "sampling/custom_sampling/guiders")

    @Input var model: DiffusionModel
    @Input var cond1: ConditioningValue
    @Input var cond2: ConditioningValue
    @Input var negative: ConditioningValue
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfgConds = 8.0
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfgCond2Negative = 8.0
    @Input(.choices(["regular", "nested"])) var style: String
    @Output var guider: GuiderValue

    func run(_ context: NodeContext) async throws {
        guider = GuiderValue(
            DualCFGGuider(
                model: model, first: cond1.entries, second: cond2.entries, negative: negative.entries,
                firstScale: cfgConds,
                secondScale: cfgCond2Negative, isNested: style == "nested"))
    }
}

/// Guidance that takes from the negative only what does not oppose the positive (families-unet-sampling.md §13).
struct PerpNegGuider: Node {
    static let info = NodeInfo("PerpNegGuider", category: "_for_testing", style: .v3).experimental

    @Input var model: DiffusionModel
    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var emptyConditioning: ConditioningValue
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfg = 8.0
    @Input(.range(0.0...100.0), .step(0.01)) var negScale = 1.0
    @Output var guider: GuiderValue

    func run(_ context: NodeContext) async throws {
        guider = GuiderValue(
            PerpendicularNegativeGuider(
                model: model, positive: positive.entries, negative: negative.entries, empty: emptyConditioning.entries,
                cfg: cfg, negativeScale: negScale))
    }
}
