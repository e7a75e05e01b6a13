public import Checkpoints
public import Diffusion
import Text

/// FLUX.1 (families-flux.md).
public enum FluxFamily: ModelFamily {
    public static let name = "FLUX.1"

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if FluxConfiguration.recognises(source) { return source }
        return FluxDiffusersKeys.recognises(source) ? try FluxDiffusersKeys.native(source) : nil
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork {
        try FluxNetwork(source)
    }

    public static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)? {
        guard let clip = parts.clipL, let t5 = parts.t5 else { return nil }
        return FluxTextEncoder(
            clip: try .clipL(clip, parts.clipTokenizer()),
            t5: try .t5(t5, .t5(parts.t5Tokenizer(), minimumLength: 256)),
            embeddings: parts.embeddings)
    }
}

/// ControlNets for FLUX in diffusers layout.
public enum FluxControlFamily: ControlFamily {
    public static let name = "FLUX ControlNet (InstantX, Union, alimama inpainting)"

    public static func recognises(_ source: WeightSource) -> Bool {
        FluxControlNetwork.recognises(source) && source.contains("transformer_blocks.0.attn.add_q_proj.weight")
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork {
        try FluxControlNetwork(source)
    }
}
