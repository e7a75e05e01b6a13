public import Checkpoints

/// The UNet families by what their conditioning is (families-unet-sampling.md §1).
public enum UNetKind: String, Sendable, Hashable {
    case sd1 = "SD1.x"
    case sd2 = "SD2.x"
    case sdxl = "SDXL"
    case refiner = "SDXL refiner"

    /// Attention heads over `channels` channels: always 8 in SD1, 64 channels each in the others.
    func heads(_ channels: Int) -> Int { self == .sd1 ? 8 : channels / 64 }
    /// How many numbers beside the pooled text vector are told to the network, each as 256 components.
    var pictureNumbers: Int { self == .refiner ? 5 : 6 }
}

/// The encoder half of a UNet, read from its weights: what a UNet and its ControlNets have in common.
public struct UNetEncoderShape: Sendable, Hashable {
    /// A step of the encoder; its output is kept for the decoder.
    public enum Block: Sendable, Hashable {
        /// The first convolution.
        case input
        /// A residual block and `depth` transformer blocks.
        case residual(from: Int, to: Int, depth: Int)
        /// A convolution with stride 2.
        case downsample(channels: Int)

        func channels(_ first: Int) -> Int {
            switch self {
            case .input: first
            case .residual(_, let to, _): to
            case .downsample(let channels): channels
            }
        }
    }

    public var kind: UNetKind
    /// Channels of the first convolution's output.
    public var modelChannels: Int
    /// Channels of the network's input: 4, or 9 with mask and masked picture.
    public var inputChannels: Int
    public var timeWidth: Int
    /// Width of the text features; `nil` without attention.
    public var contextWidth: Int?
    /// Columns of the label embedding (SDXL).
    public var labelWidth: Int?
    public var blocks: [Block]
    /// Transformer blocks in the middle; −1: only a residual block, −2: no middle at all.
    public var middleDepth: Int

    /// Channels of each block's output.
    public var skips: [Int] { blocks.map { $0.channels(modelChannels) } }
    /// Resolution levels.
    public var levels: Int { 1 + blocks.count { if case .downsample = $0 { true } else { false } } }
    /// Residual blocks of the encoder on each level.
    public var residualsPerLevel: Int {
        blocks.count { if case .residual = $0 { true } else { false } } / max(levels, 1)
    }

    /// - Parameter source: under original names.
    /// - Throws: ``Checkpoints/CheckpointError`` naming the key that is missing or of an impossible shape.
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
        let input = try shape("input_blocks.0.0.weight", 4)
        (modelChannels, inputChannels) = (input[0], input[1])
        timeWidth = try shape("time_embed.0.weight", 2)[0]
        var blocks = [Block.input]
        var channels = modelChannels
        for index in 1..<max(source.count("input_blocks."), 1) {
            let prefix = "input_blocks.\(index)."
            if source.contains(prefix + "0.op.weight") {
                blocks.append(.downsample(channels: channels))
                continue
            }
            let out = try shape(prefix + "0.out_layers.3.weight", 4)[0]
            blocks.append(
                .residual(from: channels, to: out, depth: source.count(prefix + "1.transformer_blocks.")))
            channels = out
        }
        self.blocks = blocks
        if source.contains("middle_block.1.proj_in.weight") {
            middleDepth = source.count("middle_block.1.transformer_blocks.")
        } else {
            middleDepth = source.contains("middle_block.0.in_layers.0.weight") ? -1 : -2
        }
        contextWidth = source.keys.first { $0.hasSuffix(".attn2.to_k.weight") }.flatMap { source.shape($0)?.last }
        labelWidth = source.contains("label_emb.0.0.weight") ? try shape("label_emb.0.0.weight", 2)[1] : nil

        let projection = source.keys.first { $0.hasSuffix(".proj_in.weight") }.flatMap { source.shape($0) }
        let levels = 1 + blocks.count { if case .downsample = $0 { true } else { false } }
        // Of the models with four levels the refiner has no attention at the first one; Stable unCLIP is an SD2.
        var attendsAtOnce = false
        if blocks.count > 1, case .residual(_, _, let depth) = blocks[1] { attendsAtOnce = depth > 0 }
        if labelWidth != nil {
            kind = levels >= 4 ? (attendsAtOnce ? .sd2 : .refiner) : .sdxl
        } else {
            kind = projection?.count == 2 ? .sd2 : .sd1
        }
        let widths = Set(blocks.map { $0.channels(input[0]) })
        let unit = kind == .sd1 ? 8 : 64
        for block in blocks {
            if case .residual(_, let to, let depth) = block, depth > 0, to % unit != 0 {
                throw CheckpointError(
                    .unsupported,
                    "\(source.name): \(kind.rawValue) attention over \(to) channels does not divide into heads")
            }
        }
        guard widths.allSatisfy({ $0 % 32 == 0 }) else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): a UNet's channels are multiples of 32 (for its group norms); found \(widths.sorted())")
        }
    }
}

/// A whole UNet, read from its weights.
public struct UNetConfiguration: Sendable, Hashable {
    /// A step of the decoder.
    public struct Output: Sendable, Hashable {
        /// Channels of the residual block's input: what comes from below and the skip.
        public var from: Int
        public var to: Int
        public var depth: Int
        /// Whether an enlargement follows, and its place in the block.
        public var upsample: Int?
    }
    public var encoder: UNetEncoderShape
    public var outputs: [Output]
    public var outputChannels: Int

    /// Whether the keys are those of a UNet (original names).
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("input_blocks.0.0.weight") && source.contains("out.2.weight")
            && source.contains("time_embed.0.weight")
    }

    /// - Parameter source: under original names.
    public init(_ source: WeightSource) throws(CheckpointError) {
        encoder = try UNetEncoderShape(source)
        guard let last = source.shape("out.2.weight"), last.count == 4 else {
            throw CheckpointError(.missingKey, "\(source.name): the kernel \"out.2.weight\" is missing")
        }
        outputChannels = last[0]
        var skips = encoder.skips
        var channels = skips.last ?? encoder.modelChannels
        var outputs: [Output] = []
        let count = source.count("output_blocks.")
        guard count == skips.count else {
            throw CheckpointError(
                .malformed,
                "\(source.name): \(count) output blocks for \(skips.count) input blocks; a UNet has as many of both")
        }
        for index in 0..<count {
            let prefix = "output_blocks.\(index)."
            guard let kernel = source.shape(prefix + "0.out_layers.3.weight"), let out = kernel.first else {
                throw CheckpointError(
                    .missingKey, "\(source.name): the key \"\(prefix)0.out_layers.3.weight\" is missing")
            }
            outputs.append(
                Output(
                    from: channels + skips.removeLast(), to: out,
                    depth: source.count(prefix + "1.transformer_blocks."),
                    upsample: [1, 2].first { source.contains("\(prefix)\($0).conv.weight") }))
            channels = out
        }
        self.outputs = outputs
    }
}
