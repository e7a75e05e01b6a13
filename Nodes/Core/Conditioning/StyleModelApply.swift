import Diffusion
import Models
import NodeKit
import Tensors

/// Every entry with the tokens of a picture behind its own (families-flux.md §11).
struct StyleModelApply: Node {
    static let info = NodeInfo(
        "StyleModelApply", displayName: "Apply Style Model", category: "conditioning/style_model")

    @Input var conditioning: ConditioningValue
    @Input var styleModel: StyleModel
    @Input var clipVisionOutput: CLIPVisionOutput
    @Input(.range(0.0...10.0), .step(0.001)) var strength = 1.0
    @Input(.choices(["multiply", "attn_bias"])) var strengthType: String
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard ["multiply", "attn_bias"].contains(strengthType) else {
            throw NodeError("input \"strength_type\": \"\(strengthType)\" is unknown; use multiply or attn_bias")
        }
        let isBias = strengthType == "attn_bias"
        guard strength >= 0 || !isBias else {
            throw NodeError("input \"strength\": attn_bias takes strengths of 0 and more, found \(strength)")
        }
        var tokens = try styleModel(clipVisionOutput.lastHiddenState, on: context.backend)
        let (count, width) = (tokens.shape[0] * tokens.shape[1], tokens.shape[2])
        tokens = try tokens.reshaped([1, count, width])
        if !isBias, strength != 1 {
            let factor = Float(strength)
            tokens = try HostMath.map(tokens) { $0 * factor }
        }
        result = try conditioning.mapEntries { entry in
            let text = entry.context
            guard text.shape.rank == 3, text.shape[2] == width else {
                throw NodeError(
                    "the style model makes tokens of width \(width), the conditioning has \(text.shape): its text encoder "
                        + "belongs to another model family than FLUX.1")
            }
            entry.context = try HostMath.concatenate(
                [text, HostMath.cycleBatch(tokens, to: text.shape[0])], axis: 1)
            if isBias, strength != 1 {
                let stretch = try StyleStretch(start: text.shape[1], count: count, strength: strength)
                entry[StyleAttention.self] = (entry[StyleAttention.self] ?? []) + [stretch]
            }
        }
    }
}
