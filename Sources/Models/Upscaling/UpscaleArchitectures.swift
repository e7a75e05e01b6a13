import Checkpoints

/// Architectures of upscale models that are known but cannot be run, for the error message. The keys that tell them are
/// those of their published code.
enum UpscaleArchitectures {
    private static let markers: [(key: String, name: String)] = [
        ("layers.0.residual_group.overlap_attn.relative_position_bias_table", "HAT"),
        ("layers.0.residual_group.layers.0.attn_atd.scale", "ATD"),
        ("layers.0.swin1.norm1.weight", "DRCT"),
        ("layers.0.residual_group.blocks.0.attn.logit_scale", "Swin2SR"),
        ("layers.0.residual_group.blocks.0.attn.relative_position_index", "SwinIR"),
        ("layers.0.residual_group.blocks.0.norm1.weight", "SwinIR or a relative of it"),
        ("layers.0.blocks.0.attn.attns.0.rpe_biases", "DAT"), ("before_RG.1.weight", "DAT or RGT"),
        ("block_1.c1_r.sk.weight", "SPAN"), ("feats.1.lk.conv.weight", "PLKSR"),
        ("residual_layer.0.residual_layer.0.layer.0.fn.0.weight", "OmniSR"),
        ("unet1.conv1.conv.0.weight", "RealCUGAN"), ("m_head.0.weight", "SCUNet"), ("intro.weight", "NAFNet"),
        ("initial.cnn.depthwise.weight", "SwiftSRGAN"), ("stylegan_decoder.style_mlp.1.weight", "GFPGAN"),
        ("f_HR_conv1.0.weight", "SPSR"), ("body.0.weight", "an SRVGGNetCompact without slopes"),
    ]

    static func describe(_ file: CheckpointFile) throws(CheckpointError) -> String {
        for marker in markers {
            if file.keys.contains(where: { $0 == marker.key || $0.hasSuffix("." + marker.key) }) {
                return "it looks like \(marker.name)"
            }
        }
        return KnownLayouts.describe(try WeightSource(file))
    }
}
