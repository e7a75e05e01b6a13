import CoreNodes
import Diffusion
import JSON
import NodeKit

/// The file that a combo with pictures names: a text, or an object with the text under "content".
private func fileName(_ value: AnyNodeValue, _ input: String) throws -> String {
    if let text = value.base as? String { return text }
    if let json = value.base as? JSONNodeValue, let text = json.json["content"]?.stringValue { return text }
    throw NodeError("input \"\(input)\": expected a file name, or an object with one under \"content\"")
}

/// Adds a LoRA to the network and the text encoder, like the core's node (pack-nodes.md §5).
struct LoraLoaderWithPictures: ValidatingNode {
    static let info = NodeInfo("LoraLoader|pysssss", displayName: "Lora Loader 🐍", category: "loaders")
    static var checks: NodeChecks { NodeChecks(ports: ["lora_name"]) }

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Input(.files("loras")) var loraName: AnyNodeValue
    @Input(.range(-100.0...100.0), .step(0.01)) var strengthModel = 1.0
    @Input(.range(-100.0...100.0), .step(0.01)) var strengthClip = 1.0
    @Output var changedModel: DiffusionModel
    @Output var changedClip: TextEncoderValue

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $loraName.isGiven ? objection(loraName, "lora_name", "loras", files) : nil
    }

    func run(_ context: NodeContext) async throws {
        let entry = LoRAEntry(
            name: try fileName(loraName, "lora_name"), modelStrength: strengthModel, clipStrength: strengthClip)
        let result = try applyLoRAs([entry], model: model, clip: clip, context)
        (changedModel, changedClip) = (result.model ?? model, result.clip ?? clip)
    }
}

/// Loads a checkpoint by the core's node (pack-nodes.md §5).
struct CheckpointLoaderWithPictures: ValidatingNode {
    static let info = NodeInfo(
        "CheckpointLoader|pysssss", displayName: "Checkpoint Loader 🐍", category: "loaders", work: .loading)
    static var checks: NodeChecks { NodeChecks(ports: ["ckpt_name"]) }

    @Input(.files("checkpoints")) var ckptName: AnyNodeValue
    @Output var model: DiffusionModel
    @Output var clip: TextEncoderValue
    @Output var vae: AutoencoderValue

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $ckptName.isGiven ? objection(ckptName, "ckpt_name", "checkpoints", files) : nil
    }

    func run(_ context: NodeContext) async throws {
        var graph = context.subgraph()
        let loader = graph.add(
            "CheckpointLoaderSimple", ["ckpt_name": .literal(.string(try fileName(ckptName, "ckpt_name")))])
        $model.link(loader[0])
        $clip.link(loader[1])
        $vae.link(loader[2])
        try context.expand(graph)
    }
}

private func objection(_ value: AnyNodeValue, _ input: String, _ folder: String, _ files: any NodeFiles) -> String? {
    do {
        _ = try files.model(folder, fileName(value, input))
        return nil
    } catch {
        return "\(error)"
    }
}
