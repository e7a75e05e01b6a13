import Checkpoints
import Tensors

/// The diffusers layout of FLUX transformers and ControlNets, as a table from its names to ours (families-flux.md §1.3).
enum FluxDiffusersKeys {
    struct Target: Sendable {
        var name: String
        /// First row and number of rows in units of the width; `nil`: the whole weight.
        var part: (start: Int, count: Int)?
        var swapsHalves = false
        /// Whether the name is a parameter itself (a norm scale) rather than a layer with weight and bias.
        var isParameter = false
    }

    /// Layers outside blocks.
    static let outer: [String: Target] = [
        "x_embedder": Target(name: "img_in"),
        "context_embedder": Target(name: "txt_in"),
        "proj_out": Target(name: "final_layer.linear"),
        "norm_out.linear": Target(name: "final_layer.adaLN_modulation.1", swapsHalves: true),
        "controlnet_x_embedder": Target(name: "pos_embed_input"),
        "time_text_embed.timestep_embedder.linear_1": Target(name: "time_in.in_layer"),
        "time_text_embed.timestep_embedder.linear_2": Target(name: "time_in.out_layer"),
        "time_text_embed.guidance_embedder.linear_1": Target(name: "guidance_in.in_layer"),
        "time_text_embed.guidance_embedder.linear_2": Target(name: "guidance_in.out_layer"),
        "time_text_embed.text_embedder.linear_1": Target(name: "vector_in.in_layer"),
        "time_text_embed.text_embedder.linear_2": Target(name: "vector_in.out_layer"),
    ]

    /// Layers of a double block.
    static let double: [String: Target] = [
        "attn.to_q": Target(name: "img_attn.qkv", part: (0, 1)),
        "attn.to_k": Target(name: "img_attn.qkv", part: (1, 1)),
        "attn.to_v": Target(name: "img_attn.qkv", part: (2, 1)),
        "attn.add_q_proj": Target(name: "txt_attn.qkv", part: (0, 1)),
        "attn.add_k_proj": Target(name: "txt_attn.qkv", part: (1, 1)),
        "attn.add_v_proj": Target(name: "txt_attn.qkv", part: (2, 1)),
        "attn.to_out.0": Target(name: "img_attn.proj"),
        "attn.to_add_out": Target(name: "txt_attn.proj"),
        "norm1.linear": Target(name: "img_mod.lin"),
        "norm1_context.linear": Target(name: "txt_mod.lin"),
        "ff.net.0.proj": Target(name: "img_mlp.0"),
        "ff.net.2": Target(name: "img_mlp.2"),
        "ff_context.net.0.proj": Target(name: "txt_mlp.0"),
        "ff_context.net.2": Target(name: "txt_mlp.2"),
        "attn.norm_q": Target(name: "img_attn.norm.query_norm.scale", isParameter: true),
        "attn.norm_k": Target(name: "img_attn.norm.key_norm.scale", isParameter: true),
        "attn.norm_added_q": Target(name: "txt_attn.norm.query_norm.scale", isParameter: true),
        "attn.norm_added_k": Target(name: "txt_attn.norm.key_norm.scale", isParameter: true),
    ]

    /// Layers of a single block.
    static let single: [String: Target] = [
        "attn.to_q": Target(name: "linear1", part: (0, 1)),
        "attn.to_k": Target(name: "linear1", part: (1, 1)),
        "attn.to_v": Target(name: "linear1", part: (2, 1)),
        "proj_mlp": Target(name: "linear1", part: (3, 4)),
        "proj_out": Target(name: "linear2"),
        "norm.linear": Target(name: "modulation.lin"),
        "attn.norm_q": Target(name: "norm.query_norm.scale", isParameter: true),
        "attn.norm_k": Target(name: "norm.key_norm.scale", isParameter: true),
    ]

    /// Whether a source has this layout.
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("x_embedder.weight") && source.contains("transformer_blocks.0.attn.add_q_proj.weight")
            && source.contains("single_transformer_blocks.0.proj_mlp.weight")
    }

    /// The source under our names. Keys that the table does not know (ControlNet outputs) keep theirs.
    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        guard let width = source.shape("x_embedder.bias")?.first else {
            throw CheckpointError(.missingKey, "\(source.name): the key \"x_embedder.bias\" is missing")
        }
        return try source.renamed { key, tensor in
            let rows = tensor.shape.rank == 0 ? 1 : tensor.shape[0]
            if let name = distilledGuidance(key) { return [(name, 0..<rows, 0..<rows)] }
            guard let dot = key.lastIndex(of: "."), let (prefix, target) = find(String(key[..<dot])) else {
                return [(key, 0..<rows, 0..<rows)]
            }
            let name = prefix + target.name + (target.isParameter ? "" : String(key[dot...]))
            if let part = target.part {
                let start = part.start * width
                return [(name, start..<start + rows, 0..<rows)]
            }
            if target.swapsHalves && rows % 2 == 0 {
                return [(name, 0..<rows / 2, rows / 2..<rows), (name, rows / 2..<rows, 0..<rows / 2)]
            }
            return [(name, 0..<rows, 0..<rows)]
        }
    }

    /// A key of Chroma's guidance network under our name, where the two differ.
    private static func distilledGuidance(_ key: String) -> String? {
        guard key.hasPrefix("distilled_guidance_layer.") else { return nil }
        for (theirs, ours) in [(".linear_1.", ".in_layer."), (".linear_2.", ".out_layer.")] {
            if let range = key.firstRange(of: theirs) {
                return key[..<range.lowerBound] + ours + key[range.upperBound...]
            }
        }
        guard key.contains(".norms."), key.hasSuffix(".weight") else { return nil }
        return key.dropLast("weight".count) + "scale"
    }

    /// The target of a layer's diffusers name, with the prefix of its block.
    static func find(_ layer: String) -> (prefix: String, target: Target)? {
        if let target = outer[layer] { return ("", target) }
        for (start, ours, table) in [
            ("transformer_blocks.", "double_blocks.", double), ("single_transformer_blocks.", "single_blocks.", single),
        ] where layer.hasPrefix(start) {
            let rest = layer.dropFirst(start.count)
            let index = rest.prefix { $0 != "." }
            guard Int(index) != nil, let target = table[String(rest.dropFirst(index.count + 1))] else { return nil }
            return (ours + index + ".", target)
        }
        return nil
    }
}
