import Checkpoints

/// The diffusers layout of AuraFlow transformers (families-sd3-aura.md §1.4).
enum AuraFlowNames {
    typealias Target = LayerNames.Target

    static let diffusers = LayerNames(
        outer: [
            "pos_embed.proj": Target("init_x_linear"),
            "context_embedder": Target("cond_seq_linear"),
            "time_step_proj.linear_1": Target("t_embedder.mlp.0"),
            "time_step_proj.linear_2": Target("t_embedder.mlp.2"),
            "norm_out.linear": Target("modF.1", swapsPair: true),
            "proj_out": Target("final_linear"),
        ],
        blocks: [
            LayerNames.Blocks(theirs: "joint_transformer_blocks.", ours: "double_layers.", layers: double),
            LayerNames.Blocks(theirs: "single_transformer_blocks.", ours: "single_layers.", layers: single),
        ],
        parameters: ["pos_embed.pos_embed": "positional_encoding"])

    private static let double: [String: Target] = [
        "attn.to_q": Target("attn.w2q"), "attn.to_k": Target("attn.w2k"), "attn.to_v": Target("attn.w2v"),
        "attn.to_out.0": Target("attn.w2o"),
        "attn.add_q_proj": Target("attn.w1q"), "attn.add_k_proj": Target("attn.w1k"),
        "attn.add_v_proj": Target("attn.w1v"), "attn.to_add_out": Target("attn.w1o"),
        "ff.linear_1": Target("mlpX.c_fc1"), "ff.linear_2": Target("mlpX.c_fc2"),
        "ff.out_projection": Target("mlpX.c_proj"),
        "ff_context.linear_1": Target("mlpC.c_fc1"), "ff_context.linear_2": Target("mlpC.c_fc2"),
        "ff_context.out_projection": Target("mlpC.c_proj"),
        "norm1.linear": Target("modX.1"), "norm1_context.linear": Target("modC.1"),
    ]

    private static let single: [String: Target] = [
        "attn.to_q": Target("attn.w1q"), "attn.to_k": Target("attn.w1k"), "attn.to_v": Target("attn.w1v"),
        "attn.to_out.0": Target("attn.w1o"),
        "ff.linear_1": Target("mlp.c_fc1"), "ff.linear_2": Target("mlp.c_fc2"),
        "ff.out_projection": Target("mlp.c_proj"),
        "norm1.linear": Target("modCX.1"),
    ]

    /// Whether a source has the diffusers layout.
    static func isDiffusers(_ source: WeightSource) -> Bool {
        source.contains("joint_transformer_blocks.0.attn.add_k_proj.weight")
    }

    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource {
        try diffusers.native(source, width: source.dimensions("context_embedder.weight", rank: 2)[0])
    }
}
