import Checkpoints
import Layers
import Tensors

/// The blocks of a FLUX network with their embedders: shared by the diffusion model and the ControlNets.
struct FluxTransformer: Sendable {
    let configuration: FluxConfiguration
    let imageIn: LinearWeight
    let textIn: LinearWeight
    let timeIn: MultilayerEmbedder
    let guidanceIn: MultilayerEmbedder?
    let vectorIn: MultilayerEmbedder
    let doubleBlocks: [FluxDoubleBlock]
    let singleBlocks: [FluxSingleBlock]

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        configuration = c
        imageIn = try w["img_in"].linear(inputs: 4 * c.inputChannels, outputs: c.width)
        textIn = try w["txt_in"].linear(inputs: c.contextWidth, outputs: c.width)
        let names = ("in_layer", "out_layer")
        timeIn = try MultilayerEmbedder(w["time_in"], names: names, inputs: 256, width: c.width)
        vectorIn = try MultilayerEmbedder(w["vector_in"], names: names, inputs: c.pooledWidth, width: c.width)
        guidanceIn =
            c.hasGuidance
            ? try MultilayerEmbedder(w["guidance_in"], names: names, inputs: 256, width: c.width) : nil
        var doubles: [FluxDoubleBlock] = []
        for i in 0..<c.doubleBlocks { doubles.append(try FluxDoubleBlock(w["double_blocks"][i], c)) }
        doubleBlocks = doubles
        var singles: [FluxSingleBlock] = []
        for i in 0..<c.singleBlocks { singles.append(try FluxSingleBlock(w["single_blocks"][i], c)) }
        singleBlocks = singles
    }

    /// SiLU of the conditioning vector (§3.3), `[batch, width]`.
    ///
    /// - Parameters:
    ///   - pooled: `[batch or 1, pooled]`; missing counts as zeros.
    ///   - guidance: `nil` leaves the guidance term out.
    func vector(batch: Int, time: Float, pooled: Tensor?, guidance: Float?, on b: any Backend) throws -> Tensor {
        let times = [Float](repeating: time, count: batch)
        var c = try timeIn(b.place(timeEmbedding(times, width: 256, factor: 1000)), on: b)
        if let guidanceIn, let guidance {
            let values = [Float](repeating: guidance, count: batch)
            c = try b.add(c, guidanceIn(b.place(timeEmbedding(values, width: 256, factor: 1000)), on: b))
        }
        let width = configuration.pooledWidth
        let y = try pooled.map { try HostMath.cycleBatch($0, to: batch) } ?? Tensor.zeros([batch, width])
        guard y.shape == [batch, width] else {
            throw TensorError(
                .shapeMismatch,
                "the pooled text vector has the shape \(y.shape), this model expects \(width) numbers: "
                    + "the text encoder belongs to another model family")
        }
        c = try b.add(c, vectorIn(b.place(y), on: b))
        return try b.activate(c, .silu, result: .full)
    }

    /// The text stream from T5 features `[batch or 1, tokens, context]`.
    func text(_ context: Tensor, batch: Int, on b: any Backend) throws -> Tensor {
        guard context.shape.rank == 3, context.shape[2] == configuration.contextWidth else {
            throw TensorError(
                .shapeMismatch,
                "the text features have the shape \(context.shape), this model expects a width of "
                    + "\(configuration.contextWidth): the text encoder belongs to another model family")
        }
        return try b.linear(b.place(HostMath.cycleBatch(context, to: batch)), textIn)
    }

    /// Runs the blocks.
    ///
    /// - Parameters:
    ///   - vector: from ``vector(batch:time:pooled:guidance:on:)``.
    ///   - skippedDouble, skippedSingle: blocks that are left out.
    ///   - afterDouble, afterSingle: see the image tokens after each block and may replace them; returning `false` in
    ///     `more` ends the run early.
    /// - Returns: the image tokens `[batch, tokens, width]`.
    func callAsFunction(
        image: Tensor, text: Tensor, vector: Tensor, rotary: RotaryTable, skippedDouble: Set<Int> = [],
        skippedSingle: Set<Int> = [], on b: any Backend,
        afterDouble: (Int, Tensor) throws -> (image: Tensor, more: Bool),
        afterSingle: (Int, Tensor) throws -> Tensor?
    ) throws -> Tensor {
        var img = image
        var txt = text
        for (index, block) in doubleBlocks.enumerated() {
            if !skippedDouble.contains(index) {
                (img, txt) = try block(img, txt, vector: vector, rotary: rotary, on: b)
            }
            let after = try afterDouble(index, img)
            img = after.image
            if !after.more { return img }
        }
        if singleBlocks.isEmpty { return img }
        let textCount = txt.shape[1]
        var x = try b.concatenate([txt, img], axis: 1)
        for (index, block) in singleBlocks.enumerated() {
            if !skippedSingle.contains(index) { x = try block(x, vector: vector, rotary: rotary, on: b) }
            if let changed = try afterSingle(index, tokens(x, textCount..<x.shape[1], on: b)) {
                x = try b.concatenate([tokens(x, 0..<textCount, on: b), changed], axis: 1)
            }
        }
        return try tokens(x, textCount..<x.shape[1], on: b)
    }
}
