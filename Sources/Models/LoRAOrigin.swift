public import Diffusion
import Tensors

/// Which model family a LoRA file was made for, by its keys and shapes; for messages about files that do not fit.
public enum LoRAOrigin {
    private static let markers: [(text: String, family: String)] = [
        ("distilled_guidance_layer", "Chroma"), ("img_attn_qkv", "FLUX"), ("img_attn.qkv", "FLUX"),
        ("double_blocks", "FLUX"), ("single_transformer_blocks", "FLUX"),
        ("joint_transformer_blocks", "AuraFlow"), ("double_layers", "AuraFlow"),
        ("joint_blocks", "SD3"), ("transformer_blocks.0.attn.add_q_proj", "SD3"),
        ("transformer_blocks_0_attn_add_q_proj", "SD3"), ("transformer_blocks.0.img_mod", "Qwen-Image"),
        ("cap_embedder", "Lumina"), ("context_refiner", "Lumina"), ("cross_attn.norm_k", "Wan"),
        ("blocks.0.cross_attn.q", "Wan"), ("blocks_0_cross_attn_q", "Wan"), ("caption_projection", "HiDream or PixArt"),
    ]

    /// "SDXL"; `nil` when nothing tells.
    public static func family(of lora: NamedTensors) -> String? {
        let keys = lora.tensors.keys
        if let marker = markers.first(where: { marker in keys.contains { $0.contains(marker.text) } }) {
            return marker.family
        }
        // UNets by the width of the text features that their attention sees.
        let textKeys = keys.filter { key in
            (key.contains("attn2_to_k") || key.contains("attn2.to_k") || key.contains("attn2.processor.to_k"))
                && (key.contains("down.weight") || key.contains("lora_A") || key.contains("_w1_b"))
        }
        if let width = textKeys.compactMap({ lora.tensors[$0]?.shape.last }).first {
            return [768: "SD1.x", 1024: "SD2.x", 1280: "SDXL refiner", 2048: "SDXL"][width]
                ?? "a UNet with text features of width \(width)"
        }
        if keys.contains(where: { $0.hasPrefix("lora_unet_") || $0.hasPrefix("unet.") }) {
            return keys.contains { $0.hasPrefix("lora_te2_") } ? "SDXL" : "a UNet (SD1.x, SD2.x or SDXL)"
        }
        return nil
    }
}
