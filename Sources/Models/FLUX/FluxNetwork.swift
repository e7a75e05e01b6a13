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
        sampling =
            configuration.hasGuidance || configuration.isChroma
            ? FluxSampling(shift: 1.15) : FlowSampling(shift: 1, multiplier: 1)
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

    public var family: String { configuration.family }
    public var latentFormat: LatentFormat { Self.latentFormat }
    public var ownByteCount: Int { source.ownByteCount }
    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        let dialect = FluxLoRADialects(lora)
        let source = try dialect.widened(source, family: family)
        let (patches, report) = try source.fittingPatches(
            of: dialect.file, FluxLoRA.table(source, configuration), strength: strength, family: family)
        return (try patched(patches, of: source), dialect.restored(report))
    }

    /// - Throws: ``CheckpointError`` naming both families, or the widths in which network and ControlNet differ.
    public func requireFitting(_ control: any ControlNetwork) throws {
        guard let control = control as? FluxControlNetwork else {
            throw CheckpointError(
                .unknownFamily,
                "the model \(source.name) is \(family), the ControlNet is a \(control.family); choose a ControlNet for "
                    + "FLUX.1")
        }
        try control.requireFitting(configuration, of: source.name)
    }

    public func patched(_ patches: [String: [WeightPatch]]) throws -> FluxNetwork {
        try patched(patches, of: source)
    }

    /// - Parameter source: this network's weights, or what a control LoRA makes of them.
    private func patched(_ patches: [String: [WeightPatch]], of source: WeightSource) throws -> FluxNetwork {
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
        let base = FluxPositions.Grid(rows: (height + 1) / 2, columns: (width + 1) / 2)
        let references = try FluxReferences.parts(call, base: base)
        guard references.isEmpty || configuration.inputChannels == FluxConfiguration.latentChannels else {
            throw TensorError(
                .unsupported,
                "\(family) takes no reference latents (ReferenceLatent): its image tokens are wider; FLUX.1 dev and "
                    + "Kontext do")
        }
        var pictureTokens = try Patches.cut(FluxInputs.latent(call, configuration))
        if !references.isEmpty {
            pictureTokens = try HostMath.concatenate([pictureTokens] + references.map(\.tokens), axis: 1)
        }
        let image = try b.linear(b.place(pictureTokens), transformer.imageIn)
        let text = try transformer.text(call.entry.context, batch: batch, on: b)
        let modulation = try transformer.modulation(call, time: call.time, on: b)
        let rotary = try positions.table(text: text.shape[1], grids: [base] + references.map(\.grid))
        func controlled(_ group: String, _ index: Int, _ tokens: Tensor) throws -> Tensor? {
            guard let residual = call.control?.residual(group, index) else { return nil }
            return try Self.added(residual, to: tokens, on: b)
        }
        let attention = try FluxAttention(
            call.entry[StyleAttention.self] ?? [], text: text.shape[1], total: text.shape[1] + image.shape[1], on: b)
        let all = try transformer(
            image: image, text: text, modulation: modulation, rotary: rotary, attention: attention,
            skippedDouble: skippedDouble,
            skippedSingle: skippedSingle, on: b,
            afterDouble: { (try controlled("double", $0, $1) ?? $1, true) },
            afterSingle: { try controlled("single", $0, $1) })

        let normalised = try b.layerNorm(
            tokens(all, 0..<base.rows * base.columns, on: b), weight: nil, bias: nil, epsilon: 1e-6,
            modulation: built.finalModulation(modulation, batch: batch, on: b), result: .compute)
        let patches = try b.host(b.linear(normalised, built.final))
        return try Patches.join(
            patches, channels: FluxConfiguration.latentChannels, height: height, width: width)
    }
}

extension FluxNetwork {
    /// Adds a ControlNet's residual to the first tokens; the others belong to references, which it does not see.
    fileprivate static func added(_ residual: Tensor, to image: Tensor, on b: any Backend) throws -> Tensor {
        let (count, total) = (residual.shape[1], image.shape[1])
        guard residual.shape.rank == 3, residual.shape[2] == image.shape[2], count <= total else {
            throw TensorError(
                .shapeMismatch,
                "a ControlNet's output of shape \(residual.shape) does not fit image tokens of shape \(image.shape)")
        }
        if count == total { return try b.add(image, residual) }
        let first = try b.add(tokens(image, 0..<count, on: b), residual)
        return try b.concatenate([first, tokens(image, count..<total, on: b)], axis: 1)
    }
}

/// The layers of a network, made when first needed: views of mapped weights, so this costs little.
final class FluxLayers: Sendable {
    struct Built: Sendable {
        let transformer: FluxTransformer
        /// Missing in Chroma.
        let modulation: PairModulation?
        let final: LinearWeight

        func finalModulation(_ source: FluxModulation, batch: Int, on b: any Backend) throws -> Modulation {
            if case .vector(let vector) = source, let modulation { return try modulation(vector, on: b) }
            let width = transformer.configuration.width
            return try source.parts(.final, nil, width: width, batch: batch, on: b).modulation(0)
        }
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
        let made = Built(
            transformer: try FluxTransformer(w, c),
            modulation: c.isChroma
                ? nil : try PairModulation(w["final_layer.adaLN_modulation.1"], inputs: d, width: d),
            final: try w["final_layer.linear"].linear(inputs: d, outputs: 4 * FluxConfiguration.latentChannels))
        built.withLock { $0[roundsPatches] = made }
        return made
    }
}
