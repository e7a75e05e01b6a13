import Checkpoints
import Diffusion
import Tensors

/// The blocks of a FLUX network with their embedders: shared by the diffusion model and the ControlNets.
struct FluxTransformer: Sendable {
    let configuration: FluxConfiguration
    let imageIn: LinearWeight
    let textIn: LinearWeight
    private let conditioner: Conditioner
    let doubleBlocks: [FluxDoubleBlock]
    let singleBlocks: [FluxSingleBlock]

    /// What the modulations are made by.
    private enum Conditioner: Sendable {
        case embedders(FluxEmbedders)
        case distilled(ChromaGuidance)
    }

    init(_ w: Weights, _ c: FluxConfiguration) throws(CheckpointError) {
        configuration = c
        imageIn = try w["img_in"].linear(inputs: 4 * c.inputChannels, outputs: c.width)
        textIn = try w["txt_in"].linear(inputs: c.contextWidth, outputs: c.width)
        conditioner =
            if let prefix = c.distilledGuidance {
                .distilled(try ChromaGuidance(w[prefix], c))
            } else {
                .embedders(try FluxEmbedders(w, c))
            }
        var doubles: [FluxDoubleBlock] = []
        for i in 0..<c.doubleBlocks { doubles.append(try FluxDoubleBlock(w["double_blocks"][i], c)) }
        doubleBlocks = doubles
        var singles: [FluxSingleBlock] = []
        for i in 0..<c.singleBlocks { singles.append(try FluxSingleBlock(w["single_blocks"][i], c)) }
        singleBlocks = singles
    }

    /// What modulates the blocks in a call.
    ///
    /// - Parameter time: the number that the network gets as its time.
    func modulation(_ call: NetworkCall, time: Float, on b: any Backend) throws -> FluxModulation {
        switch conditioner {
        case .embedders(let embedders):
            return .vector(
                try embedders.vector(
                    batch: call.x.shape[0], time: time, pooled: call.entry[PooledOutput.self],
                    guidance: call.entry[Guidance.self] ?? 3.5, on: b))
        case .distilled(let guidance):
            let strength: Float? = call.entry[Guidance.self] ?? 0
            return .rows(try guidance(time: time, guidance: strength ?? 0, on: b))
        }
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
    ///   - modulation: from ``modulation(_:time:on:)``.
    ///   - skippedDouble, skippedSingle: blocks that are left out.
    ///   - afterDouble, afterSingle: see the image tokens after each block and may replace them; returning `false` in
    ///     `more` ends the run early.
    /// - Returns: the image tokens `[batch, tokens, width]`.
    func callAsFunction(
        image: Tensor, text: Tensor, modulation: FluxModulation, rotary: RotaryTable,
        attention: FluxAttention = .plain, skippedDouble: Set<Int> = [],
        skippedSingle: Set<Int> = [], on b: any Backend,
        afterDouble: (Int, Tensor) throws -> (image: Tensor, more: Bool),
        afterSingle: (Int, Tensor) throws -> Tensor?
    ) throws -> Tensor {
        var img = image
        var txt = text
        for (index, block) in doubleBlocks.enumerated() {
            if !skippedDouble.contains(index) {
                (img, txt) = try block(
                    img, txt, index: index, modulation: modulation, rotary: rotary, attention: attention, on: b)
            }
            let after = try afterDouble(index, img)
            img = after.image
            if !after.more { return img }
        }
        if singleBlocks.isEmpty { return img }
        let textCount = txt.shape[1]
        var x = try b.concatenate([txt, img], axis: 1)
        for (index, block) in singleBlocks.enumerated() {
            if !skippedSingle.contains(index) {
                x = try block(x, index: index, modulation: modulation, rotary: rotary, attention: attention, on: b)
            }
            if let changed = try afterSingle(index, tokens(x, textCount..<x.shape[1], on: b)) {
                x = try b.concatenate([tokens(x, 0..<textCount, on: b), changed], axis: 1)
            }
        }
        return try tokens(x, textCount..<x.shape[1], on: b)
    }
}
