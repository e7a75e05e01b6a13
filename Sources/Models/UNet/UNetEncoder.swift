import Checkpoints
import Layers
import Tensors

/// The encoder half of a UNet with its weights: embeddings, input blocks and middle.
struct UNetEncoder: Sendable {
    /// A residual block and, where it has depth, a transformer.
    struct Stage: Sendable {
        let residual: UNetResidualBlock
        let transformer: UNetSpatialTransformer?

        func callAsFunction(
            _ x: Tensor, _ conditions: UNetConditions, skipsSelfAttention: Bool = false,
            probe: UNetAttentionProbe? = nil, on b: any Backend
        ) throws -> Tensor {
            let h = try residual(x, time: conditions.time, on: b)
            guard let transformer else { return h }
            return try transformer(
                h, context: conditions.context, skipsSelfAttention: skipsSelfAttention, probe: probe, on: b)
        }
    }
    enum Block: Sendable {
        case convolution(Convolution, stride: Int)
        case stage(Stage)
    }

    let shape: UNetEncoderShape
    private let time: MultilayerEmbedder
    private let label: MultilayerEmbedder?
    let blocks: [Block]
    private let middleBlocks: (first: Stage, second: UNetResidualBlock?)?

    init(_ w: Weights, _ shape: UNetEncoderShape) throws(CheckpointError) {
        self.shape = shape
        let width = shape.timeWidth
        time = try MultilayerEmbedder(
            w["time_embed"], names: ("0", "2"), inputs: shape.modelChannels, width: width)
        label = try shape.labelWidth.map { columns throws(CheckpointError) in
            try MultilayerEmbedder(w["label_emb.0"], names: ("0", "2"), inputs: columns, width: width)
        }
        var blocks: [Block] = []
        for (index, block) in shape.blocks.enumerated() {
            let scope = w["input_blocks"][index]
            switch block {
            case .input:
                blocks.append(
                    .convolution(
                        try Convolution(scope["0"], from: shape.inputChannels, to: shape.modelChannels), stride: 1))
            case .downsample(let channels):
                blocks.append(
                    .convolution(
                        try Convolution(scope["0.op"], from: channels, to: channels, operands: .compute), stride: 2))
            case .residual(let from, let to, let depth):
                blocks.append(.stage(try Self.stage(scope, from: from, to: to, depth: depth, shape)))
            }
        }
        self.blocks = blocks
        let channels = shape.skips.last ?? shape.modelChannels
        let m = w["middle_block"]
        if shape.middleDepth == -2 {
            middleBlocks = nil
        } else {
            let first = try Self.stage(m, from: channels, to: channels, depth: max(shape.middleDepth, 0), shape)
            let second =
                shape.middleDepth < 0
                ? nil : try UNetResidualBlock(m["2"], from: channels, to: channels, timeWidth: width)
            middleBlocks = (first, second)
        }
    }

    /// The residual block "0" and the transformer "1" of a block.
    static func stage(
        _ w: Weights, from: Int, to: Int, depth: Int, _ shape: UNetEncoderShape
    ) throws(CheckpointError) -> Stage {
        Stage(
            residual: try UNetResidualBlock(w["0"], from: from, to: to, timeWidth: shape.timeWidth),
            transformer: depth == 0
                ? nil
                : try UNetSpatialTransformer(
                    w["1"], channels: to, depth: depth, context: shape.contextWidth ?? 0,
                    heads: shape.kind.heads(to)))
    }

    /// What all blocks are told.
    ///
    /// - Parameter vector: `[batch, label width]` (SDXL).
    func conditions(
        time value: Float, vector: Tensor?, context: Tensor, batch: Int, on b: any Backend
    ) throws -> UNetConditions {
        let times = try timeEmbedding([Float](repeating: value, count: batch), width: shape.modelChannels)
        var embedding = try time(b.place(times), on: b)
        if let label, let vector { embedding = try b.add(embedding, label(b.place(vector), on: b)) }
        return UNetConditions(
            time: try b.activate(embedding, .silu, result: .compute), context: try b.place(context))
    }

    /// Runs the input blocks.
    ///
    /// - Parameters:
    ///   - x: `[batch, h, w, channels]` in the backend's memory.
    ///   - hint: added to the first convolution's output (ControlNets).
    ///   - added: what is added to a block's output before it is kept (T2I-adapters).
    ///   - passed: what becomes of a block's output on the way to the next block.
    /// - Returns: every block's output, and what goes on to the middle.
    func callAsFunction(
        _ x: Tensor, _ conditions: UNetConditions, hint: Tensor? = nil,
        adding added: (Int, Tensor) throws -> Tensor = { $1 },
        passing passed: (Int, Tensor) throws -> Tensor = { $1 },
        on b: any Backend
    ) throws -> (outputs: [Tensor], last: Tensor) {
        var h = x
        var outputs: [Tensor] = []
        for (index, block) in blocks.enumerated() {
            switch block {
            case .convolution(let convolution, let stride): h = try convolution(h, stride: stride, on: b)
            case .stage(let stage): h = try stage(h, conditions, on: b)
            }
            if index == 0, let hint { h = try b.add(h, hint) }
            h = try added(index, h)
            outputs.append(h)
            h = try passed(index, h)
        }
        return (outputs, h)
    }

    /// Runs the middle on the last input block's output.
    func middle(
        _ x: Tensor, _ conditions: UNetConditions, skipsSelfAttention: Bool = false, probe: UNetAttentionProbe? = nil,
        on b: any Backend
    ) throws -> Tensor {
        guard let middle = middleBlocks else { return x }
        let h = try middle.first(x, conditions, skipsSelfAttention: skipsSelfAttention, probe: probe, on: b)
        return try middle.second.map { try $0(h, time: conditions.time, on: b) } ?? h
    }
}

/// Time and text as the blocks take them.
struct UNetConditions: Sendable {
    /// SiLU of the time (and label) embedding `[batch, time width]`.
    let time: Tensor
    /// `[batch, tokens, context width]`.
    let context: Tensor
}
