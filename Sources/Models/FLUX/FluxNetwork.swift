public import Checkpoints
public import Diffusion
import Layers
import Sampling
import Synchronization
public import Tensors

/// FLUX.1 dev, schnell and their relatives as a diffusion model (families-flux.md §3).
public struct FluxNetwork: LayerSkippingNetwork, WeightedNetwork {
    public static let latentFormat = LatentFormat(channels: 16, scale: 0.3611, shift: 0.1159)

    public let source: WeightSource
    let configuration: FluxConfiguration
    /// The layers, made at first use for each way of treating patches.
    private let layers = FluxLayers()
    private let positions = FluxPositions.Cache()
    private var skippedDouble: Set<Int> = []
    private var skippedSingle: Set<Int> = []
    public let sampling: any ModelSampling

    /// - Throws: ``CheckpointError`` when keys are missing or of the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        self.source = source
        configuration = try FluxConfiguration(source)
        guard configuration.inputChannels == FluxConfiguration.latentChannels else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): FLUX with \(configuration.inputChannels) input channels (Fill, Canny, Depth) is not "
                    + "supported yet; dev and schnell (16 channels) are")
        }
        sampling = configuration.hasGuidance ? FluxSampling(shift: 1.15) : FlowSampling(shift: 1, multiplier: 1)
        // Read once now, so that a bad file is reported when it is loaded rather than in the first step.
        _ = try layers.make(source, configuration, roundsPatches: false)
    }

    /// Width of the text features and of the pooled text vector that the network takes.
    public var contextWidth: Int { configuration.contextWidth }
    public var pooledWidth: Int { configuration.pooledWidth }

    /// Floating point operations of the blocks in one evaluation: matrix products and attention.
    public func operations(imageTokens: Int, textTokens: Int) -> Double {
        let tokens = Double(imageTokens + textTokens)
        let width = Double(configuration.width)
        let products = 2 * tokens * 12 * width * width
        let attention = 4 * tokens * tokens * width
        return Double(configuration.doubleBlocks + configuration.singleBlocks) * (products + attention)
    }

    public var family: String { configuration.hasGuidance ? "FLUX.1 dev" : "FLUX.1 schnell" }
    public var latentFormat: LatentFormat { Self.latentFormat }
    public var ownByteCount: Int { source.ownByteCount }
    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        // Control LoRAs widen the input.
        let (patches, report) = try source.fittingPatches(
            of: lora, FluxLoRA.table(source, configuration), strength: strength, family: family,
            unchecked: ["img_in.weight"])
        return (try patched(patches), report)
    }

    public func patched(_ patches: [String: [WeightPatch]]) throws -> FluxNetwork {
        var network = try FluxNetwork(source.patched(patches))
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
        let built = try layers.make(source, configuration, roundsPatches: b.computeType == .float32)
        let transformer = built.transformer
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        guard call.x.shape[1] == configuration.inputChannels else {
            throw TensorError(
                .shapeMismatch, "FLUX expects latents of \(configuration.inputChannels) channels, found \(call.x.shape)"
            )
        }
        let image = try b.linear(b.place(Patches.cut(call.x)), transformer.imageIn)
        let text = try transformer.text(call.entry.context, batch: batch, on: b)
        let guidance: Float? = call.entry[Guidance.self] ?? 3.5
        let vector = try transformer.vector(
            batch: batch, time: call.time, pooled: call.entry[PooledOutput.self], guidance: guidance, on: b)
        let rotary = try positions.table(
            text: text.shape[1],
            grids: [FluxPositions.Grid(rows: (height + 1) / 2, columns: (width + 1) / 2)])
        func controlled(_ group: String, _ index: Int, _ tokens: Tensor) throws -> Tensor? {
            guard let residual = call.control?.residual(group, index) else { return nil }
            return try b.add(tokens, residual)
        }
        let out = try transformer(
            image: image, text: text, vector: vector, rotary: rotary, skippedDouble: skippedDouble,
            skippedSingle: skippedSingle, on: b,
            afterDouble: { (try controlled("double", $0, $1) ?? $1, true) },
            afterSingle: { try controlled("single", $0, $1) })

        let modulation = Modulation(
            shift: try b.linear(vector, built.finalShift), scale: try b.linear(vector, built.finalScale))
        let normalised = try b.layerNorm(
            out, weight: nil, bias: nil, epsilon: 1e-6, modulation: modulation, result: .compute)
        let patches = try b.host(b.linear(normalised, built.final))
        return try Patches.join(
            patches, channels: FluxConfiguration.latentChannels, height: height, width: width)
    }
}

/// The layers of a network, made when first needed: views of mapped weights, so this costs little.
final class FluxLayers: Sendable {
    struct Built: Sendable {
        let transformer: FluxTransformer
        // Apart, because diffusers files store them in the other order.
        let finalShift: LinearWeight
        let finalScale: LinearWeight
        let final: LinearWeight
    }
    private let built = Mutex([Bool: Built]())

    func make(
        _ source: WeightSource, _ c: FluxConfiguration, roundsPatches: Bool
    ) throws(CheckpointError) -> Built {
        if let found = built.withLock({ $0[roundsPatches] }) { return found }
        var source = source
        source.roundsPatches = roundsPatches
        let w = Weights(source)
        let d = c.width
        let modulation = w["final_layer.adaLN_modulation.1"]
        let made = Built(
            transformer: try FluxTransformer(w, c),
            finalShift: try modulation.linear(inputs: d, outputs: 2 * d, rows: 0..<d),
            finalScale: try modulation.linear(inputs: d, outputs: 2 * d, rows: d..<2 * d),
            final: try w["final_layer.linear"].linear(inputs: d, outputs: 4 * FluxConfiguration.latentChannels))
        built.withLock { $0[roundsPatches] = made }
        return made
    }
}
