import CoreNodes
import Diffusion
import JSON
import NodeKit
import PackTools

/// Up to three LoRA files for CR Apply LoRA Stack (pack-nodes.md §4).
struct CRLoRAStack: Node {
    static let info = NodeInfo(
        "CR LoRA Stack", displayName: "💊 CR LoRA Stack", category: "🧩 Comfyroll Studio/✨ Essential/💊 LoRA")

    @Input(.named("switch_1"), .choices(["Off", "On"])) var switch1: String
    @Input(.named("lora_name_1"), .files("loras", extra: ["None"])) var name1: String
    @Input(.named("model_weight_1"), .range(-10.0...10.0), .step(0.01)) var modelWeight1 = 1.0
    @Input(.named("clip_weight_1"), .range(-10.0...10.0), .step(0.01)) var clipWeight1 = 1.0
    @Input(.named("switch_2"), .choices(["Off", "On"])) var switch2: String
    @Input(.named("lora_name_2"), .files("loras", extra: ["None"])) var name2: String
    @Input(.named("model_weight_2"), .range(-10.0...10.0), .step(0.01)) var modelWeight2 = 1.0
    @Input(.named("clip_weight_2"), .range(-10.0...10.0), .step(0.01)) var clipWeight2 = 1.0
    @Input(.named("switch_3"), .choices(["Off", "On"])) var switch3: String
    @Input(.named("lora_name_3"), .files("loras", extra: ["None"])) var name3: String
    @Input(.named("model_weight_3"), .range(-10.0...10.0), .step(0.01)) var modelWeight3 = 1.0
    @Input(.named("clip_weight_3"), .range(-10.0...10.0), .step(0.01)) var clipWeight3 = 1.0
    @Input var loraStack: LoRAStack?
    @Output("LORA_STACK") var stack: LoRAStack
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let rows = [
            (switch1, name1, modelWeight1, clipWeight1), (switch2, name2, modelWeight2, clipWeight2),
            (switch3, name3, modelWeight3, clipWeight3),
        ]
        let own = rows.filter { $0.0 == "On" }.map { LoRAEntry(name: $0.1, modelStrength: $0.2, clipStrength: $0.3) }
        stack = LoRAStack(((loraStack?.entries ?? []) + own).filter { $0.name != "None" })
        help = helpText
    }
}

/// Adds the files of a LoRA stack.
struct CRApplyLoRAStack: Node {
    static let info = NodeInfo(
        "CR Apply LoRA Stack", displayName: "💊 CR Apply LoRA Stack",
        category: "🧩 Comfyroll Studio/✨ Essential/💊 LoRA")

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Input var loraStack: LoRAStack?
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let result = try applyLoRAs(loraStack?.entries ?? [], model: model, clip: clip, context)
        (changedModel, changedClip, help) = (result.model ?? model, result.clip ?? clip, helpText)
    }
}

/// Adds one LoRA file, with a switch.
struct CRLoadLoRA: Node {
    static let info = NodeInfo(
        "CR Load LoRA", displayName: "💊 CR Load LoRA", category: "🧩 Comfyroll Studio/✨ Essential/💊 LoRA")

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Input(.named("switch"), .choices(["On", "Off"])) var isOn: String
    @Input(.files("loras", extra: ["None"])) var loraName: String
    @Input(.range(-10.0...10.0), .step(0.01)) var strengthModel = 1.0
    @Input(.range(-10.0...10.0), .step(0.01)) var strengthClip = 1.0
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let entry = LoRAEntry(name: loraName, modelStrength: strengthModel, clipStrength: strengthClip)
        let entries = isOn == "On" && loraName != "None" ? [entry] : []
        let result = try applyLoRAs(entries, model: model, clip: clip, context)
        (changedModel, changedClip, help) = (result.model ?? model, result.clip ?? clip, helpText)
    }
}
