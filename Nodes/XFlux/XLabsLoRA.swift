import CoreNodes
import Diffusion
import JSON
import Models
import NodeKit
import Tensors

/// A LoRA in the naming of XLabs (pack-nodes.md §6): `double_blocks.0.processor.qkv_lora1.down.weight`, where 1 stands for
/// the image's and 2 for the text's projections.
enum XLabsLoRA {
    /// The file's tensors under the names of the network's own layers; other names stay as they are.
    static func renamed(_ file: NamedTensors) -> NamedTensors {
        var tensors: [String: Tensor] = [:]
        for (key, tensor) in file.tensors { tensors[name(key) ?? key] = tensor }
        return NamedTensors(name: file.name, tensors: tensors)
    }

    private static let layers = [
        "qkv_lora1": "img_attn.qkv", "proj_lora1": "img_attn.proj", "qkv_lora2": "txt_attn.qkv",
        "proj_lora2": "txt_attn.proj",
    ]

    private static func name(_ key: String) -> String? {
        let parts = key.split(separator: ".").map(String.init)
        guard parts.count == 6, parts[0] == "double_blocks", parts[2] == "processor", let layer = layers[parts[3]],
            parts[5] == "weight"
        else { return nil }
        switch parts[4] {
        case "down": return "diffusion_model.double_blocks.\(parts[1]).\(layer).lora_down.weight"
        case "up": return "diffusion_model.double_blocks.\(parts[1]).\(layer).lora_up.weight"
        default: return nil
        }
    }
}

/// Adds a LoRA of XLabs to a network; several add up (pack-nodes.md §6).
struct FluxLoraLoader: Node {
    static let info = NodeInfo("FluxLoraLoader", displayName: "Load Flux LoRA", category: "XLabsNodes")

    @Input var model: DiffusionModel
    @Input(.files("xlabs/loras")) var loraName: String
    @Input(.range(-100.0...100.0), .step(0.01)) var strengthModel = 1.0
    @Output("MODEL") var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model
        if strengthModel == 0 { return }
        let file = XLabsLoRA.renamed(try ModelLoader.lora(path: context.files.model("xlabs/loras", loraName)))
        let (network, report) = try model.network.adding(lora: file, strength: Float(strengthModel))
        result.network = network
        let unmatched = file.tensors.keys.filter { !report.used.contains($0) }.sorted()
        if !unmatched.isEmpty {
            let sample = unmatched.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
            context.warn(
                "LoRA \(loraName): \(unmatched.count) of \(file.tensors.count) keys are not used (\(sample)): nothing in "
                    + "\(model.network.family) has these names")
        }
    }
}
