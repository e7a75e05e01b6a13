public import Checkpoints
public import Diffusion
import Layers
import Synchronization
public import Tensors

/// SD1.x, SD2.x, SDXL and its refiner, with their inpainting variants, as diffusion models (families-unet-sampling.md §5).
public struct UNetNetwork: WeightedNetwork {
    public let source: WeightSource
    public let configuration: UNetConfiguration
    /// What nodes changed in the way the network is evaluated.
    public var options = UNetOptions()
    public let latentFormat: LatentFormat
    public let sampling: any ModelSampling
    /// Turns pictures into label vectors, in models that can be shown any.
    private let augmentor: NoiseAugmentor?
    /// The layers, made at first use for each way of treating patches.
    private let layers = UNetLayers()

    /// - Parameter source: under original names, without prefix.
    /// - Throws: ``Checkpoints/CheckpointError`` when keys are missing or of the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let configuration = try UNetConfiguration(source)
        self.source = source
        self.configuration = configuration
        let shape = configuration.encoder
        guard configuration.outputChannels == 4, [4, 9].contains(shape.inputChannels) else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): a UNet with \(shape.inputChannels) input and \(configuration.outputChannels) output "
                    + "channels is not supported (4 and 4, or 9 and 4 for inpainting)")
        }
        let isLarge = shape.kind == .sdxl || shape.kind == .refiner
        latentFormat = LatentFormat(channels: 4, scale: isLarge ? 0.13025 : 0.18215)
        sampling = try UNetSampling.sampling(of: source, shape)
        augmentor = try UNetInputs.augmentor(source, shape)
        // Read once now, so that a bad file is reported when it is loaded rather than in the first step.
        _ = try layers.make(source, configuration, roundsPatches: false)
    }

    public var family: String {
        configuration.encoder.kind.rawValue
            + (configuration.encoder.kind == .sd2 && configuration.encoder.labelWidth != nil ? " unCLIP" : "")
            + (configuration.encoder.inputChannels == 9 ? " inpainting" : "")
    }
    /// Keys of the file that no layer reads.
    public var unusedKeys: [String] { source.unusedKeys }
    public var ownByteCount: Int { source.ownByteCount }

    public func adding(
        lora: NamedTensors, strength: Float
    ) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        let table = UNetLoRA.table(source, configuration.encoder)
        let (patches, report) = try source.fittingPatches(of: lora, table, strength: strength, family: family)
        return (try patched(patches), report)
    }

    /// The network with changes on top of its weights.
    public func patched(_ patches: [String: [WeightPatch]]) throws -> UNetNetwork {
        if patches.isEmpty { return self }
        var copy = try UNetNetwork(source.patched(patches))
        copy.options = options
        return copy
    }

    public func callAsFunction(_ call: NetworkCall, on b: any Backend) throws -> Tensor {
        let shape = configuration.encoder
        guard call.x.shape.rank == 4, call.x.shape[1] == latentFormat.channels else {
            throw TensorError(
                .shapeMismatch, "\(family) expects latents of \(latentFormat.channels) channels, found \(call.x.shape)")
        }
        let built = try layers.make(source, configuration, roundsPatches: b.computeType == .float32)
        let latent = try UNetInputs.latent(call, inputChannels: shape.inputChannels, format: latentFormat)
        let conditions = try built.encoder.conditions(
            time: call.time, vector: UNetInputs.vector(call, shape, augmentor, name: source.name),
            context: UNetInputs.context(call, shape, name: source.name), batch: call.x.shape[0], on: b)
        let shrink = options.deepShrink.flatMap { $0.isActive(at: call.sigma) ? $0 : nil }
        let (outputs, deepest) = try built.encoder(
            b.contiguous(b.place(latent).permuted([0, 2, 3, 1])), conditions,
            adding: { index, h in
                let h = try controlled(h, call.control?.residual("input", index), on: b)
                guard let shrink, shrink.block == index, !shrink.isAfterSkip else { return h }
                return try shrink.shrunk(h, on: b)
            },
            passing: { index, h in
                guard let shrink, shrink.block == index, shrink.isAfterSkip else { return h }
                return try shrink.shrunk(h, on: b)
            }, on: b)
        var skips = outputs
        var h = try built.encoder.middle(
            deepest, conditions, skipsSelfAttention: options.skipsMiddleSelfAttention, probe: options.attentionProbe,
            on: b)
        h = try controlled(h, call.control?.residual("middle", 0), on: b)
        for stage in built.outputs {
            let index = skips.count - 1
            var skip = try controlled(skips.removeLast(), call.control?.residual("output", index), on: b)
            if let deepShrink = options.deepShrink { h = try deepShrink.grown(h, to: skip, on: b) }
            if let freeU = options.freeU {
                (h, skip) = try freeU.applied(h, skip: skip, modelChannels: shape.modelChannels, on: b)
            }
            h = try stage.stage(b.concatenate([h, skip], axis: 3), conditions, on: b)
            if let upsample = stage.upsample, let next = skips.last {
                // To the size of what comes next, which is not always the double.
                h = try upsample(b.resizeNearest(h, height: next.shape[1], width: next.shape[2]), on: b)
            }
        }
        let out = try built.output(built.norm(h, .silu, on: b), on: b)
        return try b.host(out.permuted([0, 3, 1, 2])).asFloat32()
    }

    private func controlled(_ h: Tensor, _ residual: Tensor?, on b: any Backend) throws -> Tensor {
        guard let residual else { return h }
        guard residual.shape == h.shape else {
            throw CheckpointError(
                .shapeMismatch,
                "a ControlNet's output of shape \(residual.shape) meets \(h.shape) in \(source.name) (\(family)): the "
                    + "ControlNet was made for another model")
        }
        return try b.add(h, residual)
    }

    /// - Throws: ``Checkpoints/CheckpointError`` naming the family of a ControlNet that is not for this kind of UNet.
    public func requireFitting(_ control: any ControlNetwork) throws {
        let kind = configuration.encoder.kind
        if let control = control as? any UNetControl, control.kind == kind {
            try control.requireSize(of: self)
            return
        }
        throw CheckpointError(
            .unknownFamily,
            "the model \(source.name) is \(family), the ControlNet is a \(control.family); choose a ControlNet for "
                + kind.rawValue)
    }
}

/// The layers of a UNet, made when first needed: views of mapped weights, so this costs little.
final class UNetLayers: Sendable {
    struct Built: Sendable {
        let encoder: UNetEncoder
        let outputs: [(stage: UNetEncoder.Stage, upsample: Convolution?)]
        let norm: PictureNorm
        let output: Convolution
    }
    private let built = Mutex([Bool: Built]())

    func make(
        _ source: WeightSource, _ c: UNetConfiguration, roundsPatches: Bool
    ) throws(CheckpointError) -> Built {
        if let found = built.withLock({ $0[roundsPatches] }) { return found }
        var source = source
        source.roundsPatches = roundsPatches
        let w = Weights(source)
        var outputs: [(stage: UNetEncoder.Stage, upsample: Convolution?)] = []
        for (index, output) in c.outputs.enumerated() {
            let scope = w["output_blocks"][index]
            let stage = try UNetEncoder.stage(
                scope, from: output.from, to: output.to, depth: output.depth, c.encoder)
            let upsample = try output.upsample.map { place throws(CheckpointError) in
                try Convolution(scope[place]["conv"], from: output.to, to: output.to, operands: .compute)
            }
            outputs.append((stage, upsample))
        }
        let made = Built(
            encoder: try UNetEncoder(w, c.encoder), outputs: outputs,
            norm: try PictureNorm(w["out.0"], channels: c.outputs.last?.to ?? c.encoder.modelChannels, epsilon: 1e-5),
            output: try Convolution(
                w["out.2"], from: c.outputs.last?.to ?? c.encoder.modelChannels, to: c.outputChannels))
        built.withLock { $0[roundsPatches] = made }
        return made
    }
}
