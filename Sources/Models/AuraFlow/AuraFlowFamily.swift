public import Checkpoints
public import Diffusion
import Text

/// AuraFlow (families-sd3-aura.md): double layers with weights for text and picture, then single layers; T5 features.
public enum AuraFlowFamily: ModelFamily {
    public static let name = "AuraFlow"
    public static let textEncoderLoaders = "CLIPLoader"

    public static func native(_ source: WeightSource) throws(CheckpointError) -> WeightSource? {
        if AuraFlowConfiguration.recognises(source) { return source }
        return AuraFlowNames.isDiffusers(source) ? try AuraFlowNames.native(source) : nil
    }

    public static func network(_ source: WeightSource) throws(CheckpointError) -> any DiffusionNetwork {
        try AuraFlowNetwork(source)
    }

    public static func textEncoder(_ parts: TextEncoderParts) throws -> (any TextEncoder)? {
        guard let t5 = parts.pileT5 else { return nil }
        return AuraFlowTextEncoder(t5: try .pileT5(t5, .pileT5(parts.pileT5Tokenizer())))
    }
}
