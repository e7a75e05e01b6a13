public import Checkpoints
public import Diffusion
import Layers
import Sampling
public import Tensors

/// AuraFlow 0.1 to 0.3 as a diffusion model (families-sd3-aura.md §3).
public struct AuraFlowNetwork: LayerSkippingNetwork, WeightedNetwork {
    public let family = "AuraFlow"
    public let latentFormat = LatentFormat(channels: AuraFlowConfiguration.latentChannels, scale: 0.13025)
    public let sampling: any ModelSampling = FlowSampling(shift: 1.73, multiplier: 1)

    public let source: WeightSource
    let configuration: AuraFlowConfiguration
    private let cache = LayerCache<AuraFlowTransformer>()
    private var skippedDouble: Set<Int> = []
    private var skippedSingle: Set<Int> = []

    /// - Throws: ``CheckpointError`` when keys are missing or of the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        self.source = source
        configuration = try AuraFlowConfiguration(source)
        // Read once now, so that a bad file is reported when it is loaded rather than in the first step.
        _ = try transformer(roundsPatches: false)
    }

    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }
    public var ownByteCount: Int { source.ownByteCount }

    private func transformer(roundsPatches: Bool) throws(CheckpointError) -> AuraFlowTransformer {
        try cache.layers(source, roundsPatches: roundsPatches) { w throws(CheckpointError) in
            try AuraFlowTransformer(w, configuration)
        }
    }

    public func requireFitting(_ control: any ControlNetwork) throws {
        throw CheckpointError(
            .unknownFamily,
            "the model \(source.name) is \(family), for which no ControlNets are known; this one is a \(control.family)"
        )
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        let table = AuraFlowNames.diffusers.loraTable(
            source, width: configuration.width, dotted: ["transformer."], underscored: [])
        let (patches, report) = try source.fittingPatches(of: lora, table, strength: strength, family: family)
        return (try patched(patches), report)
    }

    public func patched(_ patches: [String: [WeightPatch]]) throws -> AuraFlowNetwork {
        var network = try AuraFlowNetwork(source.patched(patches))
        (network.skippedDouble, network.skippedSingle) = (skippedDouble, skippedSingle)
        return network
    }

    public func skipping(double: Set<Int>, single: Set<Int>) -> any DiffusionNetwork {
        var network = self
        network.skippedDouble.formUnion(double)
        network.skippedSingle.formUnion(single)
        return network
    }

    public func callAsFunction(_ call: NetworkCall, on b: any Backend) throws -> Tensor {
        let t = try transformer(roundsPatches: b.computeType == .float32)
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        guard call.x.shape[1] == AuraFlowConfiguration.latentChannels else {
            throw TensorError(
                .shapeMismatch,
                "AuraFlow expects latents of \(AuraFlowConfiguration.latentChannels) channels, found \(call.x.shape)")
        }
        let times = [Float](repeating: call.time, count: batch)
        let time = try t.timeIn(b.place(timeEmbedding(times, width: 256, factor: 1000)), on: b)
        let vector = try b.activate(time, .silu, result: .full)
        var img = try t.image(call.x, on: b)
        var txt = try t.text(call.entry.context, batch: batch, on: b)
        for (index, layer) in t.doubleLayers.enumerated() where !skippedDouble.contains(index) {
            (img, txt) = try layer(img, txt, vector: vector, on: b)
        }
        if !t.singleLayers.isEmpty {
            let count = txt.shape[1]
            var x = try b.concatenate([txt, img], axis: 1)
            for (index, layer) in t.singleLayers.enumerated() where !skippedSingle.contains(index) {
                x = try layer(x, vector: vector, on: b)
            }
            img = try tokens(x, count..<x.shape[1], on: b)
        }
        let patches = try b.host(t.output(img, vector: vector, on: b))
        return try Patches.join(
            patches, channels: AuraFlowConfiguration.latentChannels, height: height, width: width,
            order: .channelLast)
    }
}

/// The layers of an AuraFlow network.
struct AuraFlowTransformer: Sendable {
    let timeIn: MultilayerEmbedder
    let doubleLayers: [AuraFlowDoubleLayer]
    let singleLayers: [AuraFlowSingleLayer]
    private let configuration: AuraFlowConfiguration
    private let imageIn: LinearWeight
    private let positions: PositionGrid
    private let textIn: LinearWeight
    /// `[1, register tokens, width]`
    private let registers: Tensor
    private let modulation: PairModulation
    private let final: LinearWeight

    init(_ w: Weights, _ c: AuraFlowConfiguration) throws(CheckpointError) {
        let d = c.width
        configuration = c
        imageIn = try w["init_x_linear"].linear(inputs: 4 * AuraFlowConfiguration.latentChannels, outputs: d)
        positions = try PositionGrid(w, "positional_encoding", width: d)
        textIn = try w["cond_seq_linear"].linear(inputs: c.contextWidth, outputs: d)
        registers = try w.parameter("register_tokens", [1, c.registerTokens, d])
        timeIn = try MultilayerEmbedder(
            w["t_embedder"], names: ("mlp.0", "mlp.2"), inputs: 256, width: c.timeWidth)
        var doubles: [AuraFlowDoubleLayer] = []
        for i in 0..<c.doubleLayers { doubles.append(try AuraFlowDoubleLayer(w["double_layers"][i], c)) }
        doubleLayers = doubles
        var singles: [AuraFlowSingleLayer] = []
        for i in 0..<c.singleLayers { singles.append(try AuraFlowSingleLayer(w["single_layers"][i], c)) }
        singleLayers = singles
        modulation = try PairModulation(w["modF.1"], inputs: c.timeWidth, width: d)
        final = try w["final_linear"].linear(inputs: d, outputs: 4 * AuraFlowConfiguration.latentChannels)
    }

    /// The picture's tokens with their positions. A picture beyond the learned grid gets an enlarged one.
    func image(_ x: Tensor, on b: any Backend) throws -> Tensor {
        let window = try positions.enlargedWindow(rows: (x.shape[2] + 1) / 2, columns: (x.shape[3] + 1) / 2)
        return try b.add(b.linear(b.place(Patches.cut(x)), imageIn), b.place(window))
    }

    /// Register tokens, then the projected text features `[batch or 1, tokens, context width]`.
    func text(_ context: Tensor, batch: Int, on b: any Backend) throws -> Tensor {
        guard context.shape.rank == 3, context.shape[2] == configuration.contextWidth else {
            throw TensorError(
                .shapeMismatch,
                "the text features have the shape \(context.shape), AuraFlow expects a width of "
                    + "\(configuration.contextWidth): the text encoder belongs to another model family (AuraFlow's is "
                    + "Pile-T5-XL)")
        }
        let text = try b.linear(b.place(HostMath.cycleBatch(context, to: batch)), textIn)
        return try b.concatenate([b.place(HostMath.cycleBatch(registers, to: batch)), text], axis: 1)
    }

    /// The velocity of every patch. There is no norm before the output layer, only shift and scale.
    func output(_ x: Tensor, vector: Tensor, on b: any Backend) throws -> Tensor {
        let mod = try modulation(vector, on: b)
        let shape: Shape = [vector.shape[0], 1, configuration.width]
        var y = try b.add(x, b.multiply(x, b.contiguous(mod.scale).reshaped(shape)))
        if let shift = mod.shift { y = try b.add(y, b.contiguous(shift).reshaped(shape)) }
        return try b.linear(y, final)
    }
}
