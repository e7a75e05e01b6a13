public import Checkpoints
public import Diffusion
import Layers
import Sampling
public import Tensors

/// SD3 medium, SD3.5 large and medium as a diffusion model (families-sd3-aura.md §2).
public struct SD3Network: LayerSkippingNetwork, WeightedNetwork {
    public static let latentFormat = LatentFormat(
        channels: SD3Configuration.latentChannels, scale: 1.5305, shift: 0.0609)

    public let sampling: any ModelSampling = FlowSampling(shift: 3, multiplier: 1000)
    public let source: WeightSource
    let configuration: SD3Configuration
    private let cache = LayerCache<Layers>()
    private var skipped: Set<Int> = []

    private struct Layers: Sendable {
        let transformer: SD3Transformer
        let modulation: PairModulation
        let final: LinearWeight
    }

    /// - Throws: ``CheckpointError`` when keys are missing or of the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        self.source = source
        configuration = try SD3Configuration(source)
        // Read once now, so that a bad file is reported when it is loaded rather than in the first step.
        _ = try layers(roundsPatches: false)
    }

    public var family: String { configuration.family }
    public var latentFormat: LatentFormat { Self.latentFormat }
    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }
    public var ownByteCount: Int { source.ownByteCount }

    private func layers(roundsPatches: Bool) throws(CheckpointError) -> Layers {
        let c = configuration
        return try cache.layers(source, roundsPatches: roundsPatches) { w throws(CheckpointError) in
            Layers(
                transformer: try SD3Transformer(w, c),
                modulation: try PairModulation(w["final_layer.adaLN_modulation.1"], inputs: c.width, width: c.width),
                final: try w["final_layer.linear"].linear(
                    inputs: c.width, outputs: 4 * SD3Configuration.latentChannels))
        }
    }

    /// What the network makes of the pooled text vector: Stability's ControlNets build on it.
    func pooledEmbedding(_ pooled: Tensor?, batch: Int, on b: any Backend) throws -> Tensor {
        try layers(roundsPatches: b.computeType == .float32).transformer.pooled(pooled, batch: batch, on: b)
    }

    public func requireFitting(_ control: any ControlNetwork) throws {
        if control is SD3ControlNetwork || control is SD35ControlNetwork { return }
        throw CheckpointError(
            .unknownFamily,
            "the model \(source.name) is \(family), the ControlNet is a \(control.family); choose a ControlNet for SD3")
    }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        let table = SD3Names.diffusers.loraTable(
            source, width: configuration.width, dotted: ["transformer.", "base_model.model."],
            underscored: ["lora_transformer_", "lycoris_"])
        let (patches, report) = try source.fittingPatches(of: lora, table, strength: strength, family: family)
        return (try patched(patches), report)
    }

    public func patched(_ patches: [String: [WeightPatch]]) throws -> SD3Network {
        var network = try SD3Network(source.patched(patches))
        network.skipped = skipped
        return network
    }

    public func skipping(double: Set<Int>, single: Set<Int>) -> any DiffusionNetwork {
        var network = self
        network.skipped.formUnion(double)
        return network
    }

    public func callAsFunction(_ call: NetworkCall, on b: any Backend) throws -> Tensor {
        let layers = try layers(roundsPatches: b.computeType == .float32)
        let t = layers.transformer
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        var img = try t.image(call.x, on: b)
        var txt = try t.text(call.entry.context, batch: batch, on: b)
        let sum = try b.add(
            t.time(call.time, batch: batch, on: b), t.pooled(call.entry[PooledOutput.self], batch: batch, on: b))
        let vector = try b.activate(sum, .silu, result: .full)
        for (index, block) in t.blocks.enumerated() {
            if !skipped.contains(index) { (img, txt) = try block(img, txt, vector: vector, on: b) }
            if let residual = call.control?.residual(SD3ControlNetwork.group, index) { img = try b.add(img, residual) }
        }
        let normalised = try SD3Block.normalised(img, layers.modulation(vector, on: b), on: b)
        let patches = try b.host(b.linear(normalised, layers.final))
        return try Patches.join(
            patches, channels: SD3Configuration.latentChannels, height: height, width: width, order: .channelLast)
    }
}
