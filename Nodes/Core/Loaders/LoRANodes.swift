import Diffusion
import Models
import NodeKit

/// Adds a LoRA to the network and the text encoder.
struct LoraLoader: Node {
    static let info = NodeInfo(
        "LoraLoader", displayName: "Load LoRA", category: "loaders",
        description: "Changes a model and its text encoder by a LoRA file; several can follow each other.",
        work: .loading)

    @Input(.tooltip("Gets the LoRA.")) var model: DiffusionModel
    @Input(.tooltip("The text encoder that gets the LoRA.")) var clip: TextEncoderValue
    @Input(.files("loras"), .tooltip("A file in models/loras.")) var loraName: String
    @Input(.range(-100.0...100.0), .step(0.01), .tooltip("How strongly the network is changed."))
    var strengthModel = 1.0
    @Input(.range(-100.0...100.0), .step(0.01), .tooltip("How strongly the text encoder is changed."))
    var strengthClip = 1.0
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        (changedModel, changedClip) = (model, clip)
        if strengthModel == 0 && strengthClip == 0 { return }
        var lora = try LoRAApplication(loraName, context)
        if strengthModel != 0 {
            changedModel = try lora.apply(to: model, strength: strengthModel)
        } else {
            lora.ignoreKeys(of: model)
        }
        if strengthClip != 0 {
            changedClip = try lora.apply(to: clip, strength: strengthClip)
        } else {
            lora.ignoreKeys(of: clip)
        }
        lora.report(context)
    }
}

/// Adds a LoRA to the network alone.
struct LoraLoaderModelOnly: Node {
    static let info = NodeInfo("LoraLoaderModelOnly", category: "loaders", work: .loading)

    @Input var model: DiffusionModel
    @Input(.files("loras")) var loraName: String
    @Input(.range(-100.0...100.0), .step(0.01)) var strengthModel = 1.0
    @Output var changedModel: DiffusionModel

    func run(_ context: NodeContext) async throws {
        changedModel = model
        if strengthModel == 0 { return }
        var lora = try LoRAApplication(loraName, context)
        changedModel = try lora.apply(to: model, strength: strengthModel)
        lora.ignoreTextEncoderKeys()
        lora.report(context)
    }
}
