import Diffusion
import NodeKit

/// A prompt of its own for each of SD3's text encoders (families-sd3-aura.md §7).
struct CLIPTextEncodeSD3: Node {
    static let info = NodeInfo("CLIPTextEncodeSD3", category: "advanced/conditioning", style: .v3)

    @Input var clip: TextEncoderValue
    @Input(.multiline, .dynamicPrompts) var clipL: String
    @Input(.multiline, .dynamicPrompts) var clipG: String
    @Input(.multiline, .dynamicPrompts) var t5xxl: String
    @Input(.choices(["none", "empty_prompt"])) var emptyPadding: String
    @Output var conditioning: ConditioningValue

    func run(_ context: NodeContext) async throws {
        var prompt = PromptText("", perEncoder: ["clip_l": clipL, "clip_g": clipG, "t5xxl": t5xxl])
        prompt.leavesOutEmpty = emptyPadding == "none"
        conditioning = ConditioningValue([
            try clip.encoder.encode(prompt, on: context.backend, warn: context.warn)
        ])
    }
}
