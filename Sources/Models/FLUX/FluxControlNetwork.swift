public import Checkpoints
public import Diffusion
import Images
import Layers
public import Tensors

/// ControlNets for FLUX: InstantX, Shakker Union, alimama inpainting; XLabs; MistoLine (families-flux.md §7).
public struct FluxControlNetwork: ControlNetwork {
    let source: WeightSource
    let layout: FluxControlLayout
    let configuration: FluxConfiguration
    let transformer: FluxTransformer
    let hintIn: LinearWeight
    /// Makes the hint of a picture; without one the VAE does.
    let hintEncoder: FluxHintEncoder?
    /// Channels of the hint: 16, or 17 with alimama's mask.
    let hintChannels: Int
    let doubleOutputs: [LinearWeight]
    let singleOutputs: [LinearWeight]
    /// `[modes, width]` of a Union network.
    let modes: Tensor?
    private let positions = FluxPositions.Cache()

    /// - Parameter source: the file under its own names.
    /// - Throws: ``CheckpointError`` when keys are missing or of the wrong shape.
    public init(_ source: WeightSource) throws(CheckpointError) {
        guard let layout = FluxControlLayout(source) else {
            throw CheckpointError(.unknownFamily, "\(source.name) is not a ControlNet for FLUX")
        }
        let native = try layout.native(source)
        self.source = native
        self.layout = layout
        let configuration = try FluxConfiguration(native)
        self.configuration = configuration
        let w = Weights(native)
        transformer = try FluxTransformer(w, configuration)
        hintEncoder = layout == .diffusers ? nil : try FluxHintEncoder(w, layout)
        hintChannels = try Self.hintChannels(native, hasMask: layout == .diffusers)
        let d = configuration.width
        hintIn = try w["pos_embed_input"].linear(inputs: 4 * hintChannels, outputs: d)
        var doubles: [LinearWeight] = []
        for i in 0..<native.count("controlnet_blocks.") {
            doubles.append(try w["controlnet_blocks"][i].linear(inputs: d, outputs: d))
        }
        doubleOutputs = doubles
        var singles: [LinearWeight] = []
        for i in 0..<native.count("controlnet_single_blocks.") {
            singles.append(try w["controlnet_single_blocks"][i].linear(inputs: d, outputs: d))
        }
        singleOutputs = singles
        guard doubles.count <= configuration.doubleBlocks, singles.count <= configuration.singleBlocks else {
            throw CheckpointError(
                .shapeMismatch,
                "\(source.name): \(doubles.count) + \(singles.count) outputs for "
                    + "\(configuration.doubleBlocks) + \(configuration.singleBlocks) blocks")
        }
        modes =
            native.contains("controlnet_mode_embedder.weight")
            ? try w["controlnet_mode_embedder"].tensor("weight", [-1, d]).asFloat32Checked(native.name) : nil
    }

    /// 16, or 17 where there may be a mask.
    private static func hintChannels(_ native: WeightSource, hasMask: Bool) throws(CheckpointError) -> Int {
        let shape = native.shape("pos_embed_input.weight") ?? []
        let known = hasMask ? [64, 68] : [64]
        guard shape.count == 2, known.contains(shape[1]) else {
            let key = native.pieces["pos_embed_input.weight"]?.first?.fileKey ?? "pos_embed_input.weight"
            throw CheckpointError(
                .shapeMismatch,
                "\(native.name): \"\(key)\" has the shape \(shape), expected "
                    + known.map { "\($0)" }.joined(separator: " or ") + " columns")
        }
        return shape[1] / 4
    }

    public var ownByteCount: Int { source.ownByteCount }
    public var family: String {
        switch layout {
        case .xlabs: "FLUX ControlNet (XLabs)"
        case .mistoline: "FLUX ControlNet (MistoLine)"
        case .diffusers:
            hintChannels > FluxConfiguration.latentChannels
                ? "FLUX inpainting ControlNet" : modes != nil ? "FLUX Union ControlNet" : "FLUX ControlNet"
        }
    }
    public var needsAutoencoder: Bool { hintEncoder == nil }
    public var extraHintChannels: Int { hintChannels - FluxConfiguration.latentChannels }

    /// - Throws: ``CheckpointError`` naming a weight whose size differs from the base's.
    func requireFitting(_ base: FluxConfiguration, of file: String) throws(CheckpointError) {
        var widths = [
            ("img_in.weight", "rows", configuration.width, base.width),
            ("txt_in.weight", "columns", configuration.contextWidth, base.contextWidth),
        ]
        // Without pooled text (Chroma) the ControlNet gets zeros.
        if !base.isChroma {
            widths.append(("vector_in.in_layer.weight", "columns", configuration.pooledWidth, base.pooledWidth))
        }
        for (key, what, own, expected) in widths where own != expected {
            throw CheckpointError(
                .shapeMismatch,
                "the ControlNet \(source.name) (\(family)) is for another FLUX: its \"\(key)\" has \(own) \(what), that of "
                    + "the model \(file) \(expected)")
        }
    }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        _ = try ControlHint.base(geometry, as: FluxNetwork.self, for: self, file: source.name)
        let hint =
            try hintEncoder.map { try pictureHint(attachment.image, geometry, latentFormat, $0, on: b) }
            ?? ControlHint.latent(
                attachment, geometry, latentFormat, maskChannel: extraHintChannels == 1, file: source.name, on: b)
        return FluxPreparedControl(
            network: self, hint: hint, mode: try mode(attachment.control.unionType), strength: attachment.strength,
            positions: positions)
    }

    /// The hint of networks that make it themselves. They have no rule for latents of odd sizes.
    private func pictureHint(
        _ image: Tensor, _ geometry: RunGeometry, _ format: LatentFormat, _ encoder: FluxHintEncoder, on b: any Backend
    ) throws -> Tensor {
        let (height, width) = (geometry.latentShape[2], geometry.latentShape[3])
        guard height % 2 == 0, width % 2 == 0 else {
            throw CheckpointError(
                .unsupported,
                "\(source.name) (\(family)) works only on pictures whose sides are multiples of 16, this one is "
                    + "\(width * format.downscale) × \(height * format.downscale)")
        }
        guard image.shape.rank == 4, image.shape[3] >= 3 else {
            throw TensorError(.shapeMismatch, "a ControlNet's picture must have 3 channels, found \(image.shape)")
        }
        let colours = image.shape[3] == 3 ? image : try image.slice(axis: 3, 0..<3)
        return try encoder(
            resizeImage(
                colours, width: width * format.downscale, height: height * format.downscale, method: .nearestExact,
                crop: .center), on: b)
    }

    /// The token of a union type, for networks that have them.
    private func mode(_ type: Int?) throws -> Tensor? {
        guard let type, let modes else { return nil }
        guard type >= 0, type < modes.shape[0] else {
            throw CheckpointError(
                .unsupported,
                "\(source.name) has \(modes.shape[0]) control types; SetUnionControlNetType asks for number \(type)")
        }
        return try modes.slice(axis: 0, type..<type + 1)
    }
}

extension Tensor {
    /// As float32, with a checkpoint error instead of a tensor error.
    func asFloat32Checked(_ file: String) throws(CheckpointError) -> Tensor {
        do { return try asFloat32() } catch { throw CheckpointError(.malformed, "\(file): \(error.message)") }
    }
}
