public import Checkpoints
public import Diffusion

/// A family of diffusion networks: how to recognise it and how to build it. One folder, one line in
/// ``ModelFamilies/all``.
public protocol ModelFamily: Sendable, SendableMetatype {
    /// Name for people.
    static var name: String { get }
    /// The source under the family's own names if it is of this family (in any known layout), else `nil`.
    static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource?
    /// Builds the network.
    static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork
    /// The text encoder of an all-in-one file, given the encoders found in it; `nil` when some are missing.
    static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)?
    /// The nodes that load its text encoders from files of their own, for people.
    static var textEncoderLoaders: String { get }
}

extension ModelFamily {
    public static var textEncoderLoaders: String { "DualCLIPLoader or CLIPLoader" }
}

/// The families that can be run.
public enum ModelFamilies {
    public static let all: [any ModelFamily.Type] = [
        FluxFamily.self, ChromaFamily.self, SD3Family.self, AuraFlowFamily.self, UNetFamily.self,
    ]
}

/// A family of ControlNets. One line in ``ControlFamilies/all``.
public protocol ControlFamily: Sendable, SendableMetatype {
    static var name: String { get }
    static func recognises(_ source: WeightSource) -> Bool
    static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork
}

/// The ControlNets that can be run.
public enum ControlFamilies {
    public static let all: [any ControlFamily.Type] = [
        FluxControlFamily.self, SD3ControlFamily.self, UNetControlFamily.self, UNetAdapterFamily.self,
    ]
}

/// What a file looks like, for the message about a file that we cannot run.
enum KnownLayouts {
    /// What tells a layout; the special before the general.
    private static let markers: [(key: String, name: String)] = [
        ("distilled_guidance_layer.0.norms.0.scale", "Chroma"), ("distilled_guidance_layer.norms.0.scale", "Chroma"),
        ("double_blocks.0.img_attn.norm.key_norm.scale", "FLUX"),
        ("transformer_blocks.0.attn.norm_added_k.weight", "FLUX or SD3.5 (diffusers layout)"),
        ("joint_blocks.0.context_block.attn.qkv.weight", "SD3 / SD3.5"),
        ("double_layers.0.attn.w1q.weight", "AuraFlow"),
        ("cap_embedder.1.weight", "Lumina"),
        ("label_emb.0.0.weight", "SDXL"),
        ("input_blocks.0.0.weight", "Stable Diffusion 1.x / 2.x"),
        ("down_blocks.0.resnets.0.conv1.weight", "a Stable Diffusion UNet (diffusers layout)"),
        ("text_model.encoder.layers.0.self_attn.q_proj.weight", "a CLIP text encoder"),
        ("encoder.block.0.layer.0.SelfAttention.q.weight", "a T5 text encoder"),
        ("decoder.conv_in.weight", "a VAE"),
        ("vision_model.encoder.layers.0.layer_norm1.weight", "an image encoder (CLIP vision)"),
        ("visual.transformer.resblocks.0.attn.in_proj_weight", "an image encoder (CLIP vision)"),
        ("model.1.sub.0.RDB1.conv1.0.weight", "an upscale model (ESRGAN)"),
        ("RRDB_trunk.0.RDB1.conv1.weight", "an upscale model (ESRGAN)"),
        ("body.0.rdb1.conv1.weight", "an upscale model (ESRGAN)"),
        ("params_ema.body.0.rdb1.conv1.weight", "an upscale model (ESRGAN)"),
        ("controlnet_blocks.0.weight", "a transformer ControlNet"),
        ("zero_convs.0.0.weight", "a UNet ControlNet"),
        ("redux_down.weight", "a style model (FLUX.1 Redux), which StyleModelLoader loads"),
    ]

    static func describe(_ source: WeightSource) -> String {
        if let name = UnsupportedFamilies.name(of: source) { return "it looks like \(name)" }
        let found = markers.filter { source.contains($0.key) }.map(\.name)
        if !found.isEmpty { return "it looks like \(found[0])" }
        if source.keys.contains(where: { $0.contains("lora_") }) { return "it looks like a LoRA" }
        let sample = source.keys.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        return source.keys.isEmpty ? "it has no tensors" : "its keys (\(sample), …) belong to nothing known"
    }
}
