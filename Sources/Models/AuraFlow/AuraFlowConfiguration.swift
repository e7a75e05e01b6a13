public import Checkpoints

/// The dimensions of an AuraFlow transformer, read from its weights (families-sd3-aura.md §1.3).
public struct AuraFlowConfiguration: Sendable, Hashable {
    /// Width of the streams, 3072 as released.
    public var width: Int
    public var heads: Int
    /// Width of the time vector, 3072.
    public var timeWidth: Int
    /// Width of the text features, 2048.
    public var contextWidth: Int
    /// Hidden width of the feed-forward layers, 8192.
    public var hiddenWidth: Int
    /// Learned tokens before the text, 8.
    public var registerTokens: Int
    public var doubleLayers: Int
    public var singleLayers: Int

    /// Channels of the latent and of the output.
    public static let latentChannels = 4
    /// Components of a head.
    public static let headWidth = 256

    /// Whether the keys are those of AuraFlow (native names).
    public static func recognises(_ source: WeightSource) -> Bool {
        source.contains("double_layers.0.attn.w1q.weight")
    }

    /// - Throws: ``CheckpointError`` naming the key that is missing or of an impossible shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let text = try source.dimensions("cond_seq_linear.weight", rank: 2)
        (width, contextWidth) = (text[0], text[1])
        let patches = try source.dimensions("init_x_linear.weight", rank: 2)
        guard width % Self.headWidth == 0, patches[1] == 4 * Self.latentChannels else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): AuraFlow of width \(width) with \(patches[1]) numbers per patch is not supported "
                    + "(expected a multiple of \(Self.headWidth) and \(4 * Self.latentChannels))")
        }
        heads = width / Self.headWidth
        timeWidth = try source.dimensions("t_embedder.mlp.0.weight", rank: 2)[0]
        hiddenWidth = try source.dimensions("double_layers.0.mlpX.c_fc1.weight", rank: 2)[0]
        registerTokens = try source.dimensions("register_tokens", rank: 3)[1]
        doubleLayers = source.count("double_layers.")
        singleLayers = source.count("single_layers.")
    }
}
