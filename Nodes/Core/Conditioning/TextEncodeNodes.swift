import Diffusion
import NodeKit

/// The conditioning of a prompt.
struct CLIPTextEncode: Node {
    static let info = NodeInfo(
        "CLIPTextEncode", displayName: "CLIP Text Encode (Prompt)", category: "conditioning",
        description: "Turns a prompt into what guides the picture.")

    @Input(.multiline, .dynamicPrompts, .tooltip("What the picture shows; (word:1.2) weights a word.")) var text: String
    @Input(.tooltip("The text encoder of the model.")) var clip: TextEncoderValue
    @Output var conditioning: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let entry = try clip.encoder.encode(PromptText(text), on: context.backend, warn: context.warn)
        conditioning = ConditioningValue([entry])
    }
}

/// A prompt of its own for each of FLUX's text encoders, and the guidance (families-flux.md §6).
struct CLIPTextEncodeFlux: Node {
    static let info = NodeInfo("CLIPTextEncodeFlux", category: "advanced/conditioning/flux", style: .v3)

    @Input(.tooltip("Text encoders of FLUX.")) var clip: TextEncoderValue
    @Input(.multiline, .dynamicPrompts) var clipL: String
    @Input(.multiline, .dynamicPrompts) var t5xxl: String
    @Input(.range(0.0...100.0), .step(0.1)) var guidance = 3.5
    @Output var conditioning: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let prompt = PromptText("", perEncoder: ["clip_l": clipL, "t5xxl": t5xxl])
        var entry = try clip.encoder.encode(prompt, on: context.backend, warn: context.warn)
        entry[Guidance.self] = .some(Float(guidance))
        conditioning = ConditioningValue([entry])
    }
}
