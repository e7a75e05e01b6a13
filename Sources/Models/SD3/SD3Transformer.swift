import Checkpoints
import Layers
import Tensors

/// The blocks of an SD3 network with their embedders: shared by the diffusion model and the ControlNets made of the same
/// blocks.
struct SD3Transformer: Sendable {
    let configuration: SD3Configuration
    let imageIn: LinearWeight
    let positions: PositionGrid
    let textIn: LinearWeight
    let timeIn: MultilayerEmbedder
    let vectorIn: MultilayerEmbedder
    let blocks: [SD3JointBlock]

    init(_ w: Weights, _ c: SD3Configuration) throws(CheckpointError) {
        configuration = c
        imageIn = try w["x_embedder.proj"].windowedLinear(channels: c.inputChannels, size: 2, outputs: c.width)
        guard w.contains("pos_embed") else {
            throw CheckpointError(
                .unsupported,
                "\(w.source.name) has no position table (\"pos_embed\"); SD3 files without one are not supported, and none "
                    + "has been released")
        }
        positions = try PositionGrid(w, "pos_embed", width: c.width)
        textIn = try w["context_embedder"].linear(inputs: c.contextWidth, outputs: c.width)
        timeIn = try MultilayerEmbedder(w["t_embedder"], names: ("mlp.0", "mlp.2"), inputs: 256, width: c.width)
        vectorIn = try MultilayerEmbedder(
            w["y_embedder"], names: ("mlp.0", "mlp.2"), inputs: c.pooledWidth, width: c.width)
        var blocks: [SD3JointBlock] = []
        for i in 0..<c.blocks { blocks.append(try SD3JointBlock(w["joint_blocks"][i], c)) }
        self.blocks = blocks
    }

    /// The picture's tokens with their positions, `[batch, tokens, width]`.
    ///
    /// - Parameter x: latent `[batch, 16, h, w]`; odd sizes are padded circularly.
    func image(_ x: Tensor, on b: any Backend) throws -> Tensor {
        guard x.shape.rank == 4, x.shape[1] == configuration.inputChannels else {
            throw TensorError(
                .shapeMismatch, "SD3 expects latents of \(configuration.inputChannels) channels, found \(x.shape)")
        }
        let window = try positions.window(rows: (x.shape[2] + 1) / 2, columns: (x.shape[3] + 1) / 2)
        return try b.add(b.linear(b.place(Patches.cut(x)), imageIn), b.place(window))
    }

    /// The text stream from features `[batch or 1, tokens, context width]`.
    func text(_ context: Tensor, batch: Int, on b: any Backend) throws -> Tensor {
        guard context.shape.rank == 3, context.shape[2] == configuration.contextWidth else {
            throw TensorError(
                .shapeMismatch,
                "the text features have the shape \(context.shape), this model expects a width of "
                    + "\(configuration.contextWidth): the text encoder belongs to another model family (SD3's are CLIP-L, "
                    + "CLIP-G and T5-XXL)")
        }
        return try b.linear(b.place(HostMath.cycleBatch(context, to: batch)), textIn)
    }

    /// What the network makes of a time, `[batch, width]`.
    func time(_ time: Float, batch: Int, on b: any Backend) throws -> Tensor {
        try timeIn(b.place(timeEmbedding([Float](repeating: time, count: batch), width: 256)), on: b)
    }

    /// What the network makes of the pooled text vector `[batch or 1, pooled]`, `[batch, width]`; missing counts as
    /// zeros.
    func pooled(_ pooled: Tensor?, batch: Int, on b: any Backend) throws -> Tensor {
        let width = configuration.pooledWidth
        let y = try pooled.map { try HostMath.cycleBatch($0, to: batch) } ?? Tensor.zeros([batch, width])
        guard y.shape == [batch, width] else {
            throw TensorError(
                .shapeMismatch,
                "the pooled text vector has the shape \(y.shape), this model expects \(width) numbers: "
                    + "the text encoder belongs to another model family")
        }
        return try vectorIn(b.place(y), on: b)
    }
}
