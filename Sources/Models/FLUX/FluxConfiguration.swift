public import Checkpoints

/// The dimensions of a FLUX transformer, read from its weights (families-flux.md §1.2).
public struct FluxConfiguration: Sendable, Hashable {
    /// Width of the streams, 3072 as released.
    public var width: Int
    public var heads: Int
    /// Latent channels of the input: 16; 32 for Canny and Depth, 96 for Fill.
    public var inputChannels: Int
    /// Width of the text features, 4096.
    public var contextWidth: Int
    /// Width of the pooled text vector, 768.
    public var pooledWidth: Int
    public var hasGuidance: Bool
    public var doubleBlocks: Int
    public var singleBlocks: Int

    /// Channels of the latent and of the output.
    public static let latentChannels = 16
    /// Components of a head, split over the three position axes.
    public static let axes = [16, 56, 56]

    /// Whether the keys are those of FLUX (native names).
    public static func recognises(_ source: WeightSource) -> Bool {
        source.contains("double_blocks.0.img_attn.norm.key_norm.scale") && source.contains("img_in.weight")
            && !source.contains("txt_in.individual_token_refiner.blocks.0.norm1.weight")
    }

    /// - Throws: ``CheckpointError`` naming the key that is missing or of an impossible shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        func shape(_ key: String, _ rank: Int) throws(CheckpointError) -> [Int] {
            guard let shape = source.shape(key) else {
                throw CheckpointError(.missingKey, "\(source.name): the key \"\(key)\" is missing")
            }
            guard shape.count == rank, shape.allSatisfy({ $0 > 0 }) else {
                throw CheckpointError(.shapeMismatch, "\(source.name): \"\(key)\" has the shape \(shape)")
            }
            return shape
        }
        if source.contains("distilled_guidance_layer.norms.0.scale")
            || source.contains("distilled_guidance_layer.0.norms.0.scale")
        {
            throw CheckpointError(
                .unsupported,
                "\(source.name) is a Chroma model, which is not supported yet (FLUX.1 dev and schnell are)")
        }
        let input = try shape("img_in.weight", 2)
        width = input[0]
        let headWidth = try shape("double_blocks.0.img_attn.norm.key_norm.scale", 1)[0]
        guard headWidth == Self.axes.reduce(0, +), width % headWidth == 0, input[1] % 4 == 0 else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): FLUX with heads of \(headWidth), width \(width) and \(input[1]) input columns is not "
                    + "supported (expected heads of 128 and a multiple of 4 columns)")
        }
        heads = width / headWidth
        inputChannels = input[1] / 4
        contextWidth = try shape("txt_in.weight", 2)[1]
        pooledWidth = try shape("vector_in.in_layer.weight", 2)[1]
        hasGuidance = source.contains("guidance_in.in_layer.weight")
        doubleBlocks = source.count("double_blocks.")
        singleBlocks = source.count("single_blocks.")
    }
}
