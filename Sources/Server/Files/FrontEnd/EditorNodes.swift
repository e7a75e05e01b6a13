import Engine
import JSON

/// Node types that the editor must find in `/object_info`.
///
/// Version 1.27 of the editor relates folders of models to the nodes that load them, and fails at that when it does not
/// know one of the nodes: then no list of models works, whatever the workflow. So where a node is not there, the served
/// editor is told of it all the same, as deprecated and with nothing to choose; a prompt with it is refused as with any
/// unknown type.
enum EditorNodes {
    private static let required: [(name: String, input: String, outputs: [String])] = [
        ("UpscaleModelLoader", "model_name", ["UPSCALE_MODEL"]),
        ("StyleModelLoader", "style_model_name", ["STYLE_MODEL"]),
        ("GLIGENLoader", "gligen_name", ["GLIGEN"]),
        ("ImageOnlyCheckpointLoader", "ckpt_name", ["MODEL", "CLIP_VISION", "VAE"]),
    ]

    /// Entries of those that a registry does not have.
    static func missing(in registry: NodeRegistry) -> [(name: String, entry: JSON)] {
        required.filter { registry[$0.name] == nil }.map { node in
            let types = JSON.array(node.outputs.map { .string($0) })
            let entry: JSONObject = [
                "input": .object(["required": .object([node.input: .array([.array([])])])]),
                "input_order": .object(["required": .array([.string(node.input)])]), "output": types,
                "output_is_list": .array(node.outputs.map { _ in .bool(false) }), "output_name": types,
                "name": .string(node.name), "display_name": .string("\(node.name) (not available)"),
                "description": .string("graphrun does not have this node; the editor does not work without its name."),
                "python_module": .string("nodes"), "category": .string("not available"), "output_node": .bool(false),
                "deprecated": .bool(true),
            ]
            return (node.name, .object(entry))
        }
    }
}
