import Checkpoints

/// The diffusers layout of SD3 transformers and of the ControlNets made of their blocks (families-sd3-aura.md §1.4).
enum SD3Names {
    typealias Target = LayerNames.Target

    static let diffusers = LayerNames(
        outer: [
            "pos_embed.proj": Target("x_embedder.proj"),
            "context_embedder": Target("context_embedder"),
            "time_text_embed.timestep_embedder.linear_1": Target("t_embedder.mlp.0"),
            "time_text_embed.timestep_embedder.linear_2": Target("t_embedder.mlp.2"),
            "time_text_embed.text_embedder.linear_1": Target("y_embedder.mlp.0"),
            "time_text_embed.text_embedder.linear_2": Target("y_embedder.mlp.2"),
            "norm_out.linear": Target("final_layer.adaLN_modulation.1", swapsPair: true),
            "proj_out": Target("final_layer.linear"),
        ],
        blocks: [LayerNames.Blocks(theirs: "transformer_blocks.", ours: "joint_blocks.", layers: block)],
        parameters: ["pos_embed.pos_embed": "pos_embed"])

    private static let block: [String: Target] = [
        "attn.to_q": Target("x_block.attn.qkv", part: 0),
        "attn.to_k": Target("x_block.attn.qkv", part: 1),
        "attn.to_v": Target("x_block.attn.qkv", part: 2),
        "attn.add_q_proj": Target("context_block.attn.qkv", part: 0),
        "attn.add_k_proj": Target("context_block.attn.qkv", part: 1),
        "attn.add_v_proj": Target("context_block.attn.qkv", part: 2),
        "attn2.to_q": Target("x_block.attn2.qkv", part: 0),
        "attn2.to_k": Target("x_block.attn2.qkv", part: 1),
        "attn2.to_v": Target("x_block.attn2.qkv", part: 2),
        "attn.to_out.0": Target("x_block.attn.proj"),
        "attn.to_add_out": Target("context_block.attn.proj"),
        "attn2.to_out.0": Target("x_block.attn2.proj"),
        "attn.norm_q": Target("x_block.attn.ln_q"),
        "attn.norm_k": Target("x_block.attn.ln_k"),
        "attn.norm_added_q": Target("context_block.attn.ln_q"),
        "attn.norm_added_k": Target("context_block.attn.ln_k"),
        "attn2.norm_q": Target("x_block.attn2.ln_q"),
        "attn2.norm_k": Target("x_block.attn2.ln_k"),
        "ff.net.0.proj": Target("x_block.mlp.fc1"),
        "ff.net.2": Target("x_block.mlp.fc2"),
        "ff_context.net.0.proj": Target("context_block.mlp.fc1"),
        "ff_context.net.2": Target("context_block.mlp.fc2"),
        "norm1.linear": Target("x_block.adaLN_modulation.1"),
        // Two widths high in the last block only, where scale comes before shift.
        "norm1_context.linear": Target("context_block.adaLN_modulation.1", swapsPair: true),
    ]

    /// Whether a source has the diffusers layout.
    static func isDiffusers(_ source: WeightSource) -> Bool {
        source.contains("transformer_blocks.0.attn.add_q_proj.weight") && source.contains("pos_embed.proj.weight")
    }

    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        try diffusers.native(source, width: source.dimensions("pos_embed.proj.weight", rank: 4)[0])
    }
}
