import Checkpoints

/// Model families that cannot be run, by keys that only their files have: so that a message can name them, and so that
/// relatives of supported families are not taken for these.
enum UnsupportedFamilies {
    private struct Mark: Sendable {
        var name: String
        /// All must be there.
        var keys: [String]
        /// A condition on the shape of the first.
        var fits: @Sendable ([Int]) -> Bool = { _ in true }
    }

    /// The special before the general.
    private static let marks: [Mark] = [
        Mark(name: "FLUX.2", keys: ["double_stream_modulation_img.lin.weight"]),
        Mark(name: "FLUX.2", keys: ["double_stream_modulation_img.linear.weight"]),
        Mark(name: "Chroma Radiance", keys: ["nerf_image_embedder.embedder.0.weight"]),
        Mark(name: "Chroma Radiance", keys: ["nerf_blocks.0.param_generator.weight"]),
        Mark(
            name: "Hunyuan Image or Hunyuan Video 1.5",
            keys: ["byt5_in.fc1.weight", "txt_in.individual_token_refiner.blocks.0.norm1.weight"]),
        Mark(name: "Hunyuan Video", keys: ["txt_in.individual_token_refiner.blocks.0.norm1.weight"]),
        Mark(
            name: "Hunyuan Video (diffusers layout)",
            keys: ["context_embedder.token_refiner.refiner_blocks.0.norm1.weight"]),
        Mark(name: "Hunyuan3D", keys: ["latent_in.weight", "cond_in.weight"]),
        Mark(name: "HunyuanDiT", keys: ["mlp_t5.0.weight"]),
        Mark(name: "Qwen-Image", keys: ["transformer_blocks.0.img_mod.1.weight", "txt_norm.weight"]),
        Mark(
            name: "Qwen-Image ControlNet",
            keys: ["transformer_blocks.0.img_mod.1.weight", "controlnet_blocks.0.weight"]),
        Mark(name: "Qwen-Image", keys: ["transformer_blocks.0.img_mod.1.weight"]),
        Mark(name: "HiDream", keys: ["caption_projection.0.linear.weight"]),
        Mark(name: "OmniGen2", keys: ["time_caption_embed.timestep_embedder.linear_1.bias"]),
        Mark(name: "Z-Image", keys: ["cap_embedder.1.weight"]) { $0.first == 3840 },
        Mark(name: "Wan (VACE)", keys: ["vace_patch_embedding.weight", "head.modulation"]),
        Mark(name: "Wan", keys: ["head.modulation"]),
        Mark(name: "Wan", keys: ["blocks.0.cross_attn.norm_k.weight", "patch_embedding.weight"]),
        Mark(name: "Wan (diffusers layout)", keys: ["condition_embedder.time_embedder.linear_1.weight"]),
        Mark(name: "Cosmos", keys: ["blocks.block0.blocks.0.block.attn.to_q.0.weight"]),
        Mark(name: "Cosmos Predict2", keys: ["x_embedder.proj.1.weight", "blocks.0.mlp.layer1.weight"]),
        Mark(name: "Cosmos", keys: ["x_embedder.proj.1.weight"]),
        Mark(name: "Mochi", keys: ["t5_yproj.weight"]),
        Mark(
            name: "LTX-Video",
            keys: [
                "adaln_single.emb.timestep_embedder.linear_1.bias", "transformer_blocks.0.attn2.norm_k.weight",
            ]),
        Mark(name: "LTX-Video", keys: ["patchify_proj.weight", "adaln_single.linear.weight"]),
        Mark(name: "PixArt", keys: ["adaln_single.emb.timestep_embedder.linear_1.bias"]),
        Mark(name: "PixArt", keys: ["t_block.1.weight"]),
        Mark(name: "Stable Cascade (stage C)", keys: ["clip_txt_mapper.weight"]),
        Mark(name: "Stable Cascade (stage B)", keys: ["clip_mapper.weight", "effnet_mapper.0.weight"]),
        Mark(name: "Stable Cascade", keys: ["clf.1.weight"]),
        Mark(name: "ACE-Step", keys: ["genre_embedder.weight"]),
        Mark(name: "Stable Audio", keys: ["transformer.rotary_pos_emb.inv_freq"]),
        Mark(name: "Kandinsky 5", keys: ["visual_transformer_blocks.0.cross_attention.key_norm.weight"]),
        Mark(name: "Kandinsky 2", keys: ["add_embedding.image_norm.weight"]),
        Mark(name: "Kandinsky 2", keys: ["encoder_hid_proj.image_embeds.weight"]),
        Mark(name: "Kolors", keys: ["encoder_hid_proj.weight"]),
        Mark(name: "Stable Video Diffusion", keys: ["input_blocks.1.0.time_stack.emb_layers.1.weight"]),
        Mark(name: "CogVideoX", keys: ["patch_embed.text_proj.weight", "patch_embed.proj.weight"]),
        Mark(name: "Sana", keys: ["caption_projection.linear_1.weight", "transformer_blocks.0.ff.conv_depth.weight"]),
        Mark(
            name: "AnimateDiff motion module",
            keys: ["down_blocks.0.motion_modules.0.temporal_transformer.norm.weight"]),
        Mark(name: "FLUX quantised by Nunchaku (SVDQuant)", keys: ["transformer_blocks.0.qkv_proj.wscales"]),
        Mark(
            name: "FLUX quantised by Nunchaku (SVDQuant)",
            keys: ["single_transformer_blocks.0.qkv_proj.qweight"]),
        Mark(
            name: "FLUX quantised to nf4 (bitsandbytes)",
            keys: ["double_blocks.0.img_attn.proj.weight.quant_state.bitsandbytes__nf4"]),
        // Text encoders of families that are not supported.
        Mark(name: "umT5 text encoder of Wan", keys: ["blocks.0.attn.q.weight", "token_embedding.weight"]),
        Mark(name: "ByT5 text encoder", keys: ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"]) {
            $0.first == 384 || $0.first == 1510
        },
        Mark(
            name: "Qwen2.5-VL text encoder",
            keys: ["model.layers.0.self_attn.k_proj.bias", "visual.blocks.0.attn.qkv.weight"]),
        Mark(name: "Qwen text encoder", keys: ["model.layers.0.self_attn.k_proj.bias"]),
        Mark(name: "Qwen3 text encoder", keys: ["model.layers.0.self_attn.q_norm.weight"]),
        // Other things that get into model folders.
        Mark(name: "IP-Adapter", keys: ["ip_adapter.1.to_k_ip.weight"]),
        Mark(name: "IP-Adapter", keys: ["image_proj.proj.weight"]),
        Mark(name: "InstantID or IP-Adapter", keys: ["image_proj.latents"]),
    ]

    /// Prefixes that the files of these families or copies of them put before their keys.
    private static let prefixes = ["", "model.diffusion_model.", "diffusion_model.", "model.", "net.", "transformer."]

    /// "Wan"; `nil` for everything else.
    static func name(of source: WeightSource) -> String? {
        for prefix in prefixes {
            for mark in marks where mark.keys.allSatisfy({ source.contains(prefix + $0) }) {
                guard let first = mark.keys.first, let shape = source.shape(prefix + first), mark.fits(shape) else {
                    continue
                }
                return mark.name
            }
        }
        return nil
    }
}
