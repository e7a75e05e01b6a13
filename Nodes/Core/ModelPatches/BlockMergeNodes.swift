import Diffusion
import JSON
import Models
import NodeKit

/// Nodes that mix two models with a share of the first for every block: the inputs are beginnings of weight names, and
/// the longest that fits decides (`ModelMergeSDXL` and its like).
enum BlockMergeNodes {
    /// A family's blocks, in the order of the inputs.
    private struct Layout {
        var id: String
        var beginnings: [String]
    }

    static func definitions(module: String) -> [NodeDefinition] { layouts.map { definition($0, module) } }

    private static func numbered(_ name: String, _ count: Int, _ end: String = ".") -> [String] {
        (0..<count).map { "\(name)\($0)\(end)" }
    }

    private static func unet(_ blocks: Int, _ end: String = ".") -> [String] {
        ["time_embed.", "label_emb."] + numbered("input_blocks.", blocks, end) + numbered("middle_block.", 3, end)
            + numbered("output_blocks.", blocks, end) + ["out."]
    }

    private static func sd3(_ blocks: Int) -> [String] {
        ["pos_embed.", "x_embedder.", "context_embedder.", "y_embedder.", "t_embedder."]
            + numbered("joint_blocks.", blocks) + ["final_layer."]
    }

    private static let layouts = [
        Layout(id: "ModelMergeSD1", beginnings: unet(12)),
        Layout(id: "ModelMergeSD2", beginnings: unet(12)),
        // Without a dot at the end in the reference, so that 1 also means 10 and 11, which SDXL has not.
        Layout(id: "ModelMergeSDXL", beginnings: unet(9, "")),
        Layout(id: "ModelMergeSD3_2B", beginnings: sd3(24)),
        Layout(id: "ModelMergeSD35_Large", beginnings: sd3(38)),
        Layout(
            id: "ModelMergeFlux1",
            beginnings: ["img_in.", "time_in.", "guidance_in", "vector_in.", "txt_in."]
                + numbered("double_blocks.", 19) + numbered("single_blocks.", 38) + ["final_layer."]),
        Layout(
            id: "ModelMergeAuraflow",
            beginnings: ["init_x_linear.", "positional_encoding", "cond_seq_linear.", "register_tokens", "t_embedder."]
                + numbered("double_layers.", 4) + numbered("single_layers.", 32) + ["modF.", "final_linear."]),
    ]

    private static func definition(_ layout: Layout, _ module: String) -> NodeDefinition {
        let models = ["model1", "model2"].map {
            InputSchema(name: $0, kind: .type(DiffusionModel.socketType), takesLiterals: false)
        }
        let shares = layout.beginnings.map { name in
            InputSchema(
                name: name, kind: .type(Double.socketType),
                options: ["default": .double(1), "min": .double(0), "max": .double(1), "step": .double(0.01)])
        }
        let schema = NodeSchema(
            id: layout.id, displayName: layout.id, category: "advanced/model_merging/model_specific", module: module,
            inputs: models + shares,
            outputs: [OutputSchema(name: DiffusionModel.socketType, type: DiffusionModel.socketType)])
        let beginnings = layout.beginnings
        return NodeDefinition(schema: schema) { values, context in
            let first = try DiffusionModel.make(from: values["model1"] ?? [], port: "model1")
            let second = try DiffusionModel.make(from: values["model2"] ?? [], port: "model2")
            var ratios: [(beginning: String, ratio: Double)] = []
            for name in beginnings {
                ratios.append((name, try Double.make(from: values[name] ?? [], port: name)))
            }
            let mixing = ModelMerge.mixing { [ratios] key in ratio(key, ratios) }
            return [[try first.merged(mixing, with: second, context)]]
        }
    }

    /// The first model's share in a weight; that of the first input for weights that no input names.
    static func ratio(_ key: String, _ ratios: [(beginning: String, ratio: Double)]) -> Double {
        let fitting = ratios.filter { key.hasPrefix($0.beginning) }
        let longest = fitting.max { $0.beginning.count < $1.beginning.count }
        return (longest ?? ratios.first)?.ratio ?? 1
    }
}
