import Checkpoints
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

/// Files of families that cannot be run are named, and LoRA files say what they are for.
struct FamilyNameTests {
    private func source(_ keys: [String: [Int]]) throws -> WeightSource {
        var source = WeightSource(name: "file.safetensors")
        for (key, shape) in keys { source = source.adding(key, try Tensor.zeros(Shape(shape))) }
        return source
    }

    /// A key or two of each family's released files (diffusers and original layouts).
    static let foreign: [([String: [Int]], String)] = [
        (
            ["double_stream_modulation_img.lin.weight": [6, 2], "double_blocks.0.img_attn.norm.key_norm.scale": [2]],
            "FLUX.2"
        ),
        (["txt_in.individual_token_refiner.blocks.0.norm1.weight": [2]], "Hunyuan Video"),
        (
            ["byt5_in.fc1.weight": [2, 2], "txt_in.individual_token_refiner.blocks.0.norm1.weight": [2]],
            "Hunyuan Image"
        ),
        (["mlp_t5.0.weight": [2, 2]], "HunyuanDiT"),
        (["transformer_blocks.0.img_mod.1.weight": [2, 2], "txt_norm.weight": [2]], "Qwen-Image"),
        (["caption_projection.0.linear.weight": [2, 2]], "HiDream"),
        (["time_caption_embed.timestep_embedder.linear_1.bias": [2]], "OmniGen2"),
        (["cap_embedder.1.weight": [3840, 2]], "Z-Image"),
        (["head.modulation": [1, 2, 2]], "Wan"),
        (["model.diffusion_model.head.modulation": [1, 2, 2]], "Wan"),
        (["net.x_embedder.proj.1.weight": [2, 2], "net.blocks.0.mlp.layer1.weight": [2, 2]], "Cosmos Predict2"),
        (["x_embedder.proj.1.weight": [2, 2]], "Cosmos"),
        (["t5_yproj.weight": [2, 2]], "Mochi"),
        (
            [
                "adaln_single.emb.timestep_embedder.linear_1.bias": [2],
                "transformer_blocks.0.attn2.norm_k.weight": [2],
            ], "LTX-Video"
        ),
        (["adaln_single.emb.timestep_embedder.linear_1.bias": [2]], "PixArt"),
        (["t_block.1.weight": [2, 2]], "PixArt"),
        (["clip_txt_mapper.weight": [2, 2]], "Stable Cascade"), (["genre_embedder.weight": [2, 2]], "ACE-Step"),
        (["visual_transformer_blocks.0.cross_attention.key_norm.weight": [2]], "Kandinsky 5"),
        (["encoder_hid_proj.weight": [2, 2], "down_blocks.0.resnets.0.conv1.weight": [2, 2, 3, 3]], "Kolors"),
        (
            [
                "input_blocks.1.0.time_stack.emb_layers.1.weight": [2, 2], "input_blocks.0.0.weight": [2, 8, 3, 3],
                "out.2.weight": [4, 2, 3, 3], "time_embed.0.weight": [2, 2],
            ], "Stable Video Diffusion"
        ),
        (["transformer_blocks.0.qkv_proj.wscales": [2, 2]], "FLUX quantised by Nunchaku"),
        (["model.layers.0.self_attn.k_proj.bias": [2], "visual.blocks.0.attn.qkv.weight": [2, 2]], "Qwen2.5-VL"),
    ]

    @Test(arguments: foreign) func unsupportedFamiliesAreNamed(_ keys: [String: [Int]], _ name: String) throws {
        let source = try source(keys)
        let error = #expect(throws: CheckpointError.self) { _ = try ModelLoader.family(of: source) }
        #expect(error?.code == .unknownFamily)
        #expect(error?.message.contains("it looks like " + name) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("supported are: FLUX.1") == true)
    }

    /// No file that runs is taken for one of these.
    @Test(arguments: ["flux-mini", "sd3-medium-mini", "sd3.5-medium-mini", "aura_flow-mini", "turbo-mini"])
    func supportedFilesAreNotTakenForOthers(_ name: String) throws {
        let file = try CheckpointFile(path: FluxTraceTests.model(name))
        for prefix in ["", "model.diffusion_model.", "model."] {
            #expect(UnsupportedFamilies.name(of: try WeightSource(file, prefix: prefix)) == nil)
        }
    }

    @Test func inspectionNamesThemToo() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("wan-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try SafetensorsWriter.write(
            [TensorToWrite(key: "head.modulation", try Tensor.zeros([1, 2, 2]))], metadata: [], to: url.path)
        let parts = try ModelInspection(path: url.path).parts
        #expect(parts.map(\.kind) == ["network"])
        #expect(parts.first?.description == "Wan, which is not supported")
    }

    /// Layers of published LoRAs of each family and dialect.
    static let layers: [(String, [Int], String?)] = [
        ("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", [4, 3072], "FLUX"),
        ("transformer.transformer_blocks.0.norm1_context.linear.lora_A.weight", [4, 3072], nil),
        ("lora_unet_double_blocks_0_img_attn_proj.lora_down.weight", [4, 3072], "FLUX"),
        ("double_blocks.0.processor.proj_lora1.down.weight", [4, 3072], "FLUX"),
        ("lora_unet_single_blocks_3_modulation_lin.lora_down.weight", [4, 3072], "FLUX"),
        ("lora_unet_single_blocks_3_modulation_linear.lora_down.weight", [4, 3072], "Hunyuan Video or Hunyuan Image"),
        ("diffusion_model.distilled_guidance_layer.layers.0.in_layer.lora_A.weight", [4, 64], "Chroma"),
        ("diffusion_model.double_stream_modulation_img.lin.lora_A.weight", [4, 6144], "FLUX.2"),
        ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", [4, 1536], "SD3 / SD3.5"),
        ("transformer.transformer_blocks.0.attn.add_k_proj.lora_A.weight", [4, 1536], "SD3 / SD3.5"),
        ("transformer.joint_transformer_blocks.0.attn.to_q.lora_A.weight", [4, 3072], "AuraFlow"),
        ("transformer.single_transformer_blocks.0.ff.linear_1.lora_A.weight", [4, 3072], "AuraFlow"),
        ("transformer_blocks.0.img_mlp.net.0.proj.lora_down.weight", [4, 3072], "Qwen-Image"),
        ("lora_unet_transformer_blocks_0_txt_mod_1.lora_down.weight", [4, 3072], "Qwen-Image"),
        ("diffusion_model.double_stream_blocks.0.block.attn1.to_q.lora_A.weight", [4, 2560], "HiDream"),
        ("diffusion_model.blocks.0.cross_attn.q.lora_A.weight", [4, 5120], "Wan"),
        ("lora_unet_blocks_12_self_attn_k.lora_down.weight", [4, 5120], "Wan"),
        ("diffusion_model.blocks.0.cross_attn.q_proj.lora_A.weight", [4, 2048], "Cosmos"),
        ("diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight", [4, 2048], "LTX-Video"),
        ("transformer.transformer_blocks.0.attn1.to_q.lora_A.weight", [4, 1152], "PixArt"),
        ("diffusion_model.context_refiner.0.attention.qkv.lora_A.weight", [4, 2304], "Lumina"),
        ("diffusion_model.layers.0.attention.to_q.lora_A.weight", [4, 3840], "Z-Image"),
        ("lora_prior_unet_down_blocks_0_1_attention.lora_down.weight", [4, 64], "Stable Cascade"),
        ("lora_unet_blocks_0_attn1_Wqkv.lora_down.weight", [4, 64], "HunyuanDiT"),
        ("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight", [4, 2048], "SDXL"),
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight", [4, 768], "SD1.x"),
        ("unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight", [4, 1024], "SD2.x"),
        ("down_blocks.0.motion_modules.0.temporal_transformer.proj_in.lora_A.weight", [4, 320], "AnimateDiff"),
        ("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", [4, 768], "a text encoder"),
        ("something.weight", [2], nil),
    ]

    @Test(arguments: layers) func origins(_ key: String, _ shape: [Int], _ family: String?) throws {
        let lora = NamedTensors(name: "lora", tensors: [key: try Tensor.zeros(Shape(shape))])
        #expect(LoRAOrigin.family(of: lora) == family)
    }
}
