public import Diffusion
import Tensors

/// Which model family a LoRA file was made for, by its keys and shapes; for messages about files that do not fit.
public enum LoRAOrigin {
    /// "SDXL"; `nil` when nothing tells.
    public static func family(of lora: NamedTensors) -> String? {
        let keys = LoRAKeys(lora)
        for rule in transformers { if let family = rule(keys) { return family } }
        return unet(keys) ?? (keys.have("lora_te", "text_encoder") ? "a text encoder" : nil)
    }

    /// Transformers, by names that only they have; the special before the general.
    private static let transformers: [@Sendable (LoRAKeys) -> String?] = [
        { $0.have("distilled_guidance_layer") ? "Chroma" : nil },
        { $0.have("double_stream_modulation") ? "FLUX.2" : nil },
        { $0.have("visual_transformer_blocks") ? "Kandinsky 5" : nil },
        { $0.have("lora_prior_unet_") ? "Stable Cascade" : nil },
        { keys in
            let isQwen = keys.haveBlock("transformer_blocks", "img_mlp", "img_mod", "txt_mlp", "txt_mod")
            return isQwen ? "Qwen-Image" : nil
        },
        { keys in
            let isHunyuan =
                keys.have("individual_token_refiner", "context_embedder_token_refiner")
                || keys.haveBlock("double_blocks", "img_mod_linear", "txt_mod_linear")
                || keys.haveBlock("single_blocks", "modulation_linear")
            return isHunyuan ? "Hunyuan Video or Hunyuan Image" : nil
        },
        { $0.have("double_stream_blocks", "single_stream_blocks") ? "HiDream" : nil },
        { $0.have("double_blocks", "single_blocks") ? "FLUX" : nil },
        { keys in
            let isAuraFlow =
                keys.have("joint_transformer_blocks", "double_layers", "single_layers")
                || keys.haveBlock("single_transformer_blocks", "ff_linear_1", "ff_linear_2", "ff_out_projection")
            return isAuraFlow ? "AuraFlow" : nil
        },
        { $0.have("single_transformer_blocks") ? "FLUX" : nil },
        { keys in
            let isSD3 =
                keys.have("joint_blocks")
                || keys.haveBlock(
                    "transformer_blocks", "attn_add_q_proj", "attn_add_k_proj", "attn_add_v_proj", "attn_to_add_out",
                    "ff_context")
            return isSD3 ? "SD3 / SD3.5" : nil
        },
        { keys in
            guard keys.have("context_refiner", "noise_refiner", "cap_embedder") else { return nil }
            if keys.have("ref_image_refiner") { return "OmniGen2" }
            return keys.width(of: "attention") == 3840 ? "Z-Image" : "Lumina"
        },
        { $0.have("layers_0_attention_") ? ($0.width(of: "attention") == 3840 ? "Z-Image" : "Lumina") : nil },
        { $0.have("attn_qkv_x", "attn_qkv_y") ? "Mochi" : nil },
        { $0.have("Wqkv", "mlp_t5") ? "HunyuanDiT" : nil },
        { $0.have("lyric_", "genre_embedder", "speaker_embedder") ? "ACE-Step" : nil },
        { keys in
            let isCosmos = keys.have(
                "cross_attn_q_proj", "self_attn_q_proj", "adaln_modulation_self_attn", "blocks_block0_")
            return isCosmos && !keys.have("lora_te", "text_model") ? "Cosmos" : nil
        },
        { $0.haveBlock("blocks", "cross_attn_q", "cross_attn_k", "self_attn_q", "self_attn_k") ? "Wan" : nil },
        { $0.have("motion_modules", "temporal_transformer") ? "AnimateDiff" : nil },
        { keys in
            guard !keys.isUNet, keys.haveBlock("transformer_blocks", "attn1_to_q", "attn1_to_k", "attn2_to_k") else {
                return nil
            }
            switch keys.width(of: "attn1_to_q") {
            case 1152: return "PixArt"
            case 2048, 4096: return "LTX-Video"
            default: return "LTX-Video or PixArt"
            }
        },
    ]

    /// UNets by the width of the text features that their attention sees.
    private static func unet(_ keys: LoRAKeys) -> String? {
        if let width = keys.width(of: "attn2_to_k") ?? keys.width(of: "attn2_processor_to_k") {
            return [768: "SD1.x", 1024: "SD2.x", 1280: "SDXL refiner", 2048: "SDXL"][width]
                ?? "a UNet with text features of width \(width)"
        }
        guard keys.isUNet else { return nil }
        return keys.have("lora_te2_") ? "SDXL" : "a UNet (SD1.x, SD2.x or SDXL)"
    }
}

/// The keys of a LoRA file in one spelling, with underscores instead of dots.
private struct LoRAKeys {
    /// What files put before the names of blocks.
    private static let prefixes = [
        "lora_unet_", "diffusion_model_", "transformer_", "lycoris_", "lora_transformer_", "model_", "unet_",
    ]
    private let flat: [(key: String, shape: Shape)]

    init(_ lora: NamedTensors) {
        flat = lora.tensors.map { (String($0.key.map { $0 == "." ? "_" : $0 }), $0.value.shape) }
            .sorted { $0.key < $1.key }
    }

    /// Whether any key contains any of the texts.
    func have(_ texts: String...) -> Bool { flat.contains { entry in texts.contains { entry.key.contains($0) } } }

    /// Whether a numbered block has any of the parts: "blocks_7_cross_attn_q". What stands before the block's name must
    /// not belong to it ("transformer_blocks" are no "blocks").
    func haveBlock(_ name: String, _ parts: String...) -> Bool {
        flat.contains { entry in
            guard let found = entry.key.firstRange(of: name + "_") else { return false }
            let before = entry.key[..<found.lowerBound]
            let isWhole =
                before.isEmpty
                || Self.prefixes.contains {
                    // "transformer_" also ends the names of blocks.
                    before.hasSuffix($0) && ($0 != "transformer_" || before == $0)
                }
            guard isWhole else { return false }
            let rest = entry.key[found.upperBound...].drop { $0.isNumber }
            return parts.contains { rest.hasPrefix("_" + $0) }
        }
    }

    /// Columns of the first factor that is multiplied with the inputs of a layer of that name.
    func width(of layer: String) -> Int? {
        flat.first { entry in
            entry.key.contains(layer)
                && (entry.key.contains("down_weight") || entry.key.contains("lora_A") || entry.key.contains("_w1_b"))
        }?.shape.last
    }

    /// Whether the names are those of a UNet's blocks.
    var isUNet: Bool {
        have("down_blocks_", "up_blocks_", "mid_block_", "input_blocks_", "output_blocks_", "middle_block_")
    }
}
