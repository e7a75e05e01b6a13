public import Checkpoints

/// The dimensions of a FLUX transformer, read from its weights (families-flux.md §1.2).
public struct FluxConfiguration: Sendable, Hashable {
    /// Width of the streams, 3072 as released.
    public var width: Int
    public var heads: Int
    /// Channels of the input: 16; 32 for Canny and Depth, 96 for Fill (see ``FluxInputs``).
    public var inputChannels: Int
    /// Width of the text features, 4096.
    public var contextWidth: Int
    /// Width of the pooled text vector, 768; 0 for Chroma, which takes none.
    public var pooledWidth: Int
    public var hasGuidance: Bool
    /// Where Chroma's distilled guidance network is; `nil` in FLUX.1.
    public var distilledGuidance: String?
    public var doubleBlocks: Int
    public var singleBlocks: Int

    /// Channels of the latent and of the output.
    public static let latentChannels = 16
    /// Components of a head, split over the three position axes.
    public static let axes = [16, 56, 56]

    /// Whether one network makes the modulations of all blocks, from time and guidance alone.
    public var isChroma: Bool { distilledGuidance != nil }

    /// Name of the variant, for people.
    public var family: String {
        if isChroma { return "Chroma" }
        return switch inputChannels {
        case 96: "FLUX.1 Fill"
        case 32: "FLUX.1 Canny or Depth"
        default: hasGuidance ? "FLUX.1 dev" : "FLUX.1 schnell"
        }
    }

    /// Whether the keys are those of FLUX (native names).
    public static func recognises(_ source: WeightSource) -> Bool {
        source.contains("double_blocks.0.img_attn.norm.key_norm.scale") && source.contains("img_in.weight")
            && !source.contains("txt_in.individual_token_refiner.blocks.0.norm1.weight")
    }

    private static func distilledGuidance(_ source: WeightSource) -> String? {
        ["distilled_guidance_layer", "distilled_guidance_layer.0"].first { source.contains($0 + ".norms.0.scale") }
    }

    /// Whether the keys are those of Chroma (native names).
    static func recognisesChroma(_ source: WeightSource) -> Bool {
        recognises(source) && distilledGuidance(source) != nil
    }

    /// - Throws: ``CheckpointError`` naming the key that is missing or of an impossible shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        distilledGuidance = Self.distilledGuidance(source)
        let input = try source.dimensions("img_in.weight", rank: 2)
        width = input[0]
        let headWidth = try source.dimensions("double_blocks.0.img_attn.norm.key_norm.scale", rank: 1)[0]
        guard headWidth == Self.axes.reduce(0, +), width % headWidth == 0, input[1] % 4 == 0 else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): FLUX with heads of \(headWidth), width \(width) and \(input[1]) input columns is not "
                    + "supported (expected heads of 128 and a multiple of 4 columns)")
        }
        heads = width / headWidth
        inputChannels = input[1] / 4
        guard [16, 32, 96].contains(inputChannels) else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): FLUX with \(inputChannels) input channels is not supported; known are 16 (dev, schnell, "
                    + "Kontext), 32 (Canny, Depth) and 96 (Fill)")
        }
        contextWidth = try source.dimensions("txt_in.weight", rank: 2)[1]
        pooledWidth = distilledGuidance == nil ? try source.dimensions("vector_in.in_layer.weight", rank: 2)[1] : 0
        hasGuidance = source.contains("guidance_in.in_layer.weight")
        doubleBlocks = source.count("double_blocks.")
        singleBlocks = source.count("single_blocks.")
    }
}
