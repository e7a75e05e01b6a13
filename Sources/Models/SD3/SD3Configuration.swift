public import Checkpoints

/// The dimensions of an SD3 transformer (or of a ControlNet made of its blocks), read from its weights
/// (families-sd3-aura.md §1.2).
public struct SD3Configuration: Sendable, Hashable {
    /// Width of the streams: 1536 (medium), 2432 (3.5 large).
    public var width: Int
    public var heads: Int
    public var inputChannels: Int
    /// Width of the text features, 4096.
    public var contextWidth: Int
    /// Width of the pooled text vector, 2048.
    public var pooledWidth: Int
    /// Whether query and key are normalised (3.5).
    public var hasHeadNorms: Bool
    public var blocks: Int
    /// Blocks with a second attention among the picture's tokens (3.5 medium: 0 to 12).
    public var dualBlocks: Set<Int>

    /// Channels of the latent and of the output.
    public static let latentChannels = 16
    /// Components of a head.
    public static let headWidth = 64

    /// Whether the keys are those of SD3 (native names).
    public static func recognises(_ source: WeightSource) -> Bool {
        source.contains("joint_blocks.0.context_block.attn.qkv.weight")
    }

    /// - Throws: ``CheckpointError`` naming the key that is missing or of an impossible shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let patches = try source.dimensions("x_embedder.proj.weight", rank: 4)
        width = patches[0]
        inputChannels = patches[1]
        guard width % Self.headWidth == 0, patches[2] == 2, patches[3] == 2, inputChannels == Self.latentChannels else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): SD3 with patches \(patches) is not supported (expected a width that is a multiple of "
                    + "\(Self.headWidth), \(Self.latentChannels) channels and patches of 2 × 2)")
        }
        heads = width / Self.headWidth
        contextWidth = try source.dimensions("context_embedder.weight", rank: 2)[1]
        pooledWidth = try source.dimensions("y_embedder.mlp.0.weight", rank: 2)[1]
        hasHeadNorms = source.contains("joint_blocks.0.context_block.attn.ln_q.weight")
        blocks = source.count("joint_blocks.")
        let source = source
        dualBlocks = Set((0..<blocks).filter { source.contains("joint_blocks.\($0).x_block.attn2.qkv.weight") })
    }

    /// The released model that has these parts, for people.
    public var family: String {
        if !hasHeadNorms { return "SD3 medium" }
        return dualBlocks.isEmpty ? "SD3.5 large" : "SD3.5 medium"
    }
}
