public import Checkpoints
public import Diffusion
import Layers
public import Tensors

/// ControlNets for FLUX in diffusers layout: InstantX, Shakker Union, alimama inpainting (families-flux.md §7).
public struct FluxControlNetwork: ControlNetwork {
    let source: WeightSource
    let configuration: FluxConfiguration
    let transformer: FluxTransformer
    let hintIn: LinearWeight
    /// Channels of the hint: 16, or 17 with alimama's mask.
    let hintChannels: Int
    let doubleOutputs: [LinearWeight]
    let singleOutputs: [LinearWeight]
    /// `[modes, width]` of a Union network.
    let modes: Tensor?
    private let positions = FluxPositions.Cache()

    /// Whether the keys are those of such a file.
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("controlnet_blocks.0.weight") && source.contains("controlnet_x_embedder.weight")
    }

    /// - Parameter source: the file under its own (diffusers) names.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let native = try FluxDiffusersKeys.native(source)
        self.source = native
        let configuration = try FluxConfiguration(native)
        self.configuration = configuration
        let w = Weights(native)
        transformer = try FluxTransformer(w, configuration)
        guard let columns = native.shape("pos_embed_input.weight")?.last, columns % 4 == 0, columns >= 64 else {
            throw CheckpointError(
                .shapeMismatch,
                "\(source.name): \"controlnet_x_embedder.weight\" has the shape "
                    + "\(native.shape("pos_embed_input.weight") ?? []), expected 64 or 68 columns")
        }
        hintChannels = columns / 4
        guard hintChannels <= FluxConfiguration.latentChannels + 1 else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): a hint of \(hintChannels) channels is not supported (16, or 17 with mask)")
        }
        let d = configuration.width
        hintIn = try w["pos_embed_input"].linear(inputs: columns, outputs: d)
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

    public var ownByteCount: Int { source.ownByteCount }
    public var family: String {
        hintChannels > FluxConfiguration.latentChannels
            ? "FLUX inpainting ControlNet" : modes != nil ? "FLUX Union ControlNet" : "FLUX ControlNet"
    }
    public var needsAutoencoder: Bool { true }
    public var extraHintChannels: Int { hintChannels - FluxConfiguration.latentChannels }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        _ = try ControlHint.base(geometry, as: FluxNetwork.self, for: self, file: source.name)
        let hint = try ControlHint.latent(
            attachment, geometry, latentFormat, maskChannel: extraHintChannels == 1, file: source.name, on: b)
        if let type = attachment.control.unionType {
            guard let modes else { return prepared(hint, nil, attachment, geometry) }
            guard type >= 0, type < modes.shape[0] else {
                throw CheckpointError(
                    .unsupported,
                    "\(source.name) has \(modes.shape[0]) control types; SetUnionControlNetType asks for number \(type)"
                )
            }
            return prepared(hint, try modes.slice(axis: 0, type..<type + 1), attachment, geometry)
        }
        return prepared(hint, nil, attachment, geometry)
    }

    private func prepared(
        _ hint: Tensor, _ mode: Tensor?, _ attachment: ControlAttachment, _ geometry: RunGeometry
    ) -> any PreparedControl {
        FluxPreparedControl(
            network: self, hint: hint, mode: mode, strength: attachment.strength, positions: positions)
    }
}

/// A FLUX ControlNet with its hint.
struct FluxPreparedControl: PreparedControl {
    let network: FluxControlNetwork
    /// `[batch, 16 or 17, h, w]` in model units.
    let hint: Tensor
    /// `[1, width]`: a token put in front of the text.
    let mode: Tensor?
    let strength: Float
    let positions: FluxPositions.Cache

    /// The base's blocks over which residuals are distributed, whatever its real depth.
    private static let baseDoubleBlocks = 19
    private static let baseSingleBlocks = 38

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let t = network.transformer
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        let hintTokens = try b.linear(b.place(Patches.cut(HostMath.cycleBatch(hint, to: batch))), network.hintIn)
        let image = try b.linear(
            b.place(Patches.cut(call.x)), t.imageIn, LinearEpilogue(residual: Residual(hintTokens)))
        var text = try t.text(call.entry.context, batch: batch, on: b)
        if let mode {
            let token = try HostMath.cycleBatch(mode.reshaped([1, 1, mode.shape[1]]), to: batch)
            text = try b.concatenate([b.place(token), text], axis: 1)
        }
        let guidance: Float? = call.entry[Guidance.self] ?? 3.5
        let vector = try t.vector(
            batch: batch, time: call.sigma, pooled: call.entry[PooledOutput.self], guidance: guidance, on: b)
        let rotary = try positions.table(
            text: text.shape[1], grids: [FluxPositions.Grid(rows: (height + 1) / 2, columns: (width + 1) / 2)])

        let doubleRun = Self.run(Self.baseDoubleBlocks, network.doubleOutputs.count)
        // The last outputs may reach no block of the base (alimama's sixth): those blocks need not be computed.
        let lastDouble = (Self.baseDoubleBlocks - 1) / max(doubleRun, 1)
        var doubles: [Int: Tensor] = [:]
        var singles: [Int: Tensor] = [:]
        _ = try t(
            image: image, text: text, vector: vector, rotary: rotary, on: b,
            afterDouble: { index, tokens in
                if index <= lastDouble, index < network.doubleOutputs.count {
                    doubles[index] = try ControlHint.weighted(tokens, network.doubleOutputs[index], strength, on: b)
                }
                return (tokens, index < lastDouble || !network.singleOutputs.isEmpty)
            },
            afterSingle: { index, tokens in
                if index < network.singleOutputs.count {
                    singles[index] = try ControlHint.weighted(tokens, network.singleOutputs[index], strength, on: b)
                }
                return nil
            })
        return ControlResiduals(groups: [
            "double": Self.distributed(doubles, over: Self.baseDoubleBlocks, network.doubleOutputs.count),
            "single": Self.distributed(singles, over: Self.baseSingleBlocks, network.singleOutputs.count),
        ])
    }

    /// Neighbouring base blocks that share a residual.
    static func run(_ base: Int, _ outputs: Int) -> Int { outputs == 0 ? 0 : (base + outputs - 1) / outputs }

    static func distributed(_ residuals: [Int: Tensor], over base: Int, _ outputs: Int) -> [Tensor?] {
        let run = run(base, outputs)
        return (0..<min(base, outputs * run)).map { residuals[$0 / run] }
    }
}

extension Tensor {
    /// As float32, with a checkpoint error instead of a tensor error.
    func asFloat32Checked(_ file: String) throws(CheckpointError) -> Tensor {
        do { return try asFloat32() } catch { throw CheckpointError(.malformed, "\(file): \(error.message)") }
    }
}
