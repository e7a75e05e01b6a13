public import Checkpoints
public import Diffusion
import Text

/// SD3 medium, SD3.5 large and medium (families-sd3-aura.md): blocks of joint attention over text and picture; any
/// subset of CLIP-L, CLIP-G and T5-XXL.
public enum SD3Family: ModelFamily {
    public static let name = "SD3 and SD3.5"
    public static let textEncoderLoaders = "TripleCLIPLoader (or DualCLIPLoader or CLIPLoader of type sd3)"

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if SD3Configuration.recognises(source) { return source }
        // A ControlNet of this layout has the same blocks, but no output layer.
        guard SD3Names.isDiffusers(source), source.contains("proj_out.weight") else { return nil }
        return try SD3Names.native(source)
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork {
        try SD3Network(source)
    }

    public static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)? {
        guard parts.clipL != nil || parts.clipG != nil || parts.t5 != nil else { return nil }
        return try SD3TextEncoder(parts)
    }
}

/// ControlNets for SD3 and SD3.5: blocks of joint attention (InstantX, alimama), or of the picture alone (Stability).
public enum SD3ControlFamily: ControlFamily {
    public static let name = "SD3 ControlNet (InstantX, alimama inpainting, Stability SD3.5)"

    public static func recognises(_ source: WeightSource) -> Bool { SD3ControlNetwork.recognises(source) }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork {
        SD35ControlNetwork.recognises(source) ? try SD35ControlNetwork(source) : try SD3ControlNetwork(source)
    }
}
