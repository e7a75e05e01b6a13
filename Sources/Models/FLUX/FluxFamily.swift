public import Checkpoints
public import Diffusion
import Text

/// FLUX.1 (families-flux.md).
public enum FluxFamily: ModelFamily {
    public static let name = "FLUX.1"

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        guard let native = try layoutsOfBlocks(source) else { return nil }
        return FluxConfiguration.recognisesChroma(native) ? nil : native
    }

    /// A source with FLUX's blocks under native names, whatever the variant; else `nil`.
    static func layoutsOfBlocks(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
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

/// Chroma: FLUX's blocks with one network for all modulations, and T5 alone for the text (families-flux.md §12).
public enum ChromaFamily: ModelFamily {
    public static let name = "Chroma"
    public static let textEncoderLoaders = "CLIPLoader (type chroma)"

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        guard let native = try FluxFamily.layoutsOfBlocks(source) else { return nil }
        return FluxConfiguration.recognisesChroma(native) ? native : nil
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork {
        try FluxNetwork(source)
    }

    public static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)? {
        guard let t5 = parts.t5 else { return nil }
        return ChromaTextEncoder(
            t5: try .t5(t5, .t5(parts.t5Tokenizer(), minimumLength: 1)), embeddings: parts.embeddings)
    }
}

/// ControlNets for FLUX.
public enum FluxControlFamily: ControlFamily {
    public static let name = "FLUX ControlNet (InstantX, Union, alimama inpainting, XLabs, MistoLine)"

    public static func recognises(_ source: WeightSource) -> Bool { FluxControlLayout(source) != nil }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any ControlNetwork {
        try FluxControlNetwork(source)
    }
}
