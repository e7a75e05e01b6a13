public import Checkpoints
public import Diffusion
import Layers
public import Tensors

/// Stability's ControlNets for SD3.5 large (blur, canny, depth): blocks over the picture alone, all applied to the same
/// input, on top of the base's embedding of the pooled vector (families-sd3-aura.md §12.2, "8B").
public struct SD35ControlNetwork: ControlNetwork {
    /// What the file's `control_type` asks to be done with the hint picture.
    enum Preprocessing: Int {
        case none = 0
        case canny = 1
        case depth = 2

        func apply(_ picture: Tensor) throws -> Tensor {
            switch self {
            case .none: picture
            case .canny: try HostMath.map(picture) { $0 * 127.5 + 0.5 }
            case .depth: try HostMath.map(picture) { 1 - $0 }
            }
        }
    }

    let source: WeightSource
    let width: Int
    let imageIn: LinearWeight
    let hintIn: LinearWeight
    let timeIn: MultilayerEmbedder
    let vectorIn: MultilayerEmbedder
    let blocks: [SD3ImageBlock]
    let outputs: [LinearWeight]
    let preprocessing: Preprocessing

    static func recognises(_ source: WeightSource) -> Bool {
        SD3ControlNetwork.recognises(source) && source.contains("transformer_blocks.0.adaLN_modulation.1.bias")
    }

    /// - Parameter source: the file under its own names.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let native = source.contains("pos_embed.proj.weight") ? try SD3Names.native(source) : source
        self.source = native
        let w = Weights(native)
        guard let vector = native.shape("y_embedder.mlp.0.weight"), vector.count == 2, vector[0] == vector[1],
            native.contains("x_embedder.proj.weight")
        else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): an SD3.5 ControlNet that borrows the base's patch embedding (y_embedder of the shape "
                    + "\(native.shape("y_embedder.mlp.0.weight") ?? [])) is not supported; those for SD3.5 large are")
        }
        let d = vector[0]
        guard d % SD3Configuration.headWidth == 0 else {
            throw CheckpointError(
                .shapeMismatch, "\(source.name): a width of \(d) is no multiple of \(SD3Configuration.headWidth)")
        }
        width = d
        imageIn = try w["x_embedder.proj"].windowedLinear(
            channels: SD3Configuration.latentChannels, size: 2, outputs: d)
        let (hint, channels) = try SD3ControlNetwork.hint(w, width: d)
        guard channels == SD3Configuration.latentChannels else {
            throw CheckpointError(
                .unsupported, "\(source.name): a hint of \(channels) channels is not supported here (16 is)")
        }
        hintIn = hint
        timeIn = try MultilayerEmbedder(w["t_embedder"], names: ("mlp.0", "mlp.2"), inputs: 256, width: d)
        vectorIn = try MultilayerEmbedder(w["y_embedder"], names: ("mlp.0", "mlp.2"), inputs: d, width: d)
        var blocks: [SD3ImageBlock] = []
        for i in 0..<w.count("transformer_blocks") {
            blocks.append(try SD3ImageBlock(w["transformer_blocks"][i], width: d))
        }
        self.blocks = blocks
        outputs = try SD3ControlNetwork.outputs(w, width: d)
        guard !outputs.isEmpty, outputs.count <= blocks.count else {
            throw CheckpointError(
                .shapeMismatch, "\(source.name): \(outputs.count) outputs for \(blocks.count) blocks")
        }
        preprocessing = try Self.preprocessing(w)
    }

    private static func preprocessing(_ w: Weights) throws(CheckpointError) -> Preprocessing {
        guard w.contains("control_type") else { return .none }
        let numbers = try? w.tensor("control_type", [-1]).floats()
        guard let number = numbers?.first, number >= 0, number < 3, let kind = Preprocessing(rawValue: Int(number))
        else {
            throw CheckpointError(
                .unsupported,
                "\(w.source.name): control_type \(numbers ?? []) is unknown; known are 0 (blur), 1 (canny), 2 (depth)")
        }
        return kind
    }

    public var family: String { "SD3.5 large ControlNet" }
    public var needsAutoencoder: Bool { true }
    public var ownByteCount: Int { source.ownByteCount }
    public var extraHintChannels: Int { 0 }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        let base = try ControlHint.base(geometry, as: SD3Network.self, for: self, file: source.name)
        try ControlHint.requireWidth(base, width, file: source.name)
        let hint = try ControlHint.latent(
            attachment, geometry, latentFormat, maskChannel: false, file: source.name, on: b,
            preprocessing: preprocessing.apply)
        return SD35PreparedControl(network: self, base: base, hint: hint, strength: attachment.strength)
    }
}

/// Such a ControlNet with its hint and its base.
struct SD35PreparedControl: PreparedControl {
    let network: SD35ControlNetwork
    let base: SD3Network
    /// `[batch, 16, h, w]` in model units.
    let hint: Tensor
    let strength: Float

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let n = network
        let batch = call.x.shape[0]
        let hintTokens = try b.linear(b.place(Patches.cut(HostMath.cycleBatch(hint, to: batch))), n.hintIn)
        let img = try b.linear(
            b.place(Patches.cut(call.x)), n.imageIn, LinearEpilogue(residual: Residual(hintTokens)))
        let times = [Float](repeating: call.time, count: batch)
        let pooled = try base.pooledEmbedding(call.entry[PooledOutput.self], batch: batch, on: b)
        let sum = try b.add(
            n.timeIn(b.place(timeEmbedding(times, width: 256)), on: b), n.vectorIn(pooled, on: b))
        let vector = try b.activate(sum, .silu, result: .full)
        let depth = base.configuration.blocks
        let run = (depth + n.outputs.count - 1) / n.outputs.count
        var list: [Tensor?] = []
        for (block, output) in zip(n.blocks, n.outputs) where list.count < depth {
            // Not chained: every block sees the same picture.
            let residual = try ControlHint.weighted(block(img, vector: vector, on: b), output, strength, on: b)
            list += [Tensor?](repeating: residual, count: run)
        }
        return ControlResiduals(groups: [SD3ControlNetwork.group: list])
    }
}
