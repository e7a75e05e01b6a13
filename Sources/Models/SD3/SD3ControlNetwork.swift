public import Checkpoints
public import Diffusion
import Layers
public import Tensors

/// ControlNets made of SD3's own blocks, in diffusers layout: InstantX and alimama's inpainting
/// (families-sd3-aura.md §12.1).
public struct SD3ControlNetwork: ControlNetwork {
    /// Where its residuals go: the image stream after the block of the same index.
    static let group = "joint"

    let source: WeightSource
    let transformer: SD3Transformer
    let hintIn: LinearWeight
    /// Channels of the hint: 16, or 17 with alimama's mask.
    let hintChannels: Int
    let outputs: [LinearWeight]

    /// Whether the keys are those of a ControlNet for SD3, of this kind or of Stability's.
    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("controlnet_blocks.0.weight") && source.contains("pos_embed_input.proj.weight")
    }

    /// - Parameter source: the file under its own (diffusers) names.
    public init(_ source: WeightSource) throws(CheckpointError) {
        let native = try SD3Names.native(source)
        self.source = native
        let c = try SD3Configuration(native)
        let w = Weights(native)
        transformer = try SD3Transformer(w, c)
        (hintIn, hintChannels) = try Self.hint(w, width: c.width)
        outputs = try Self.outputs(w, width: c.width)
        guard !outputs.isEmpty, outputs.count <= c.blocks, outputs.count <= c.heads else {
            throw CheckpointError(
                .shapeMismatch,
                "\(source.name): \(outputs.count) outputs for \(c.blocks) blocks and a base of \(c.heads)")
        }
    }

    /// The layer that takes the hint, and the number of its channels.
    static func hint(_ w: Weights, width: Int) throws(CheckpointError) -> (layer: LinearWeight, channels: Int) {
        let channels = try w.source.dimensions("pos_embed_input.proj.weight", rank: 4)[1]
        guard (SD3Configuration.latentChannels...SD3Configuration.latentChannels + 1).contains(channels) else {
            throw CheckpointError(
                .unsupported,
                "\(w.source.name): a hint of \(channels) channels is not supported (16, or 17 with mask)")
        }
        return (try w["pos_embed_input.proj"].windowedLinear(channels: channels, size: 2, outputs: width), channels)
    }

    static func outputs(_ w: Weights, width: Int) throws(CheckpointError) -> [LinearWeight] {
        var outputs: [LinearWeight] = []
        for i in 0..<w.count("controlnet_blocks") {
            outputs.append(try w["controlnet_blocks"][i].linear(inputs: width, outputs: width))
        }
        return outputs
    }

    public var family: String { extraHintChannels > 0 ? "SD3 inpainting ControlNet" : "SD3 ControlNet" }
    public var needsAutoencoder: Bool { true }
    public var extraHintChannels: Int { hintChannels - SD3Configuration.latentChannels }

    /// Neighbouring base blocks that share a residual; the last residual is used once less.
    var run: Int { transformer.configuration.heads / outputs.count }
    /// Outputs that reach a block of the base.
    var usedOutputs: Int { run > 1 ? outputs.count : outputs.count - 1 }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        let base = try ControlHint.base(geometry, as: SD3Network.self, for: self, file: source.name)
        try ControlHint.requireWidth(base, transformer.configuration.width, file: source.name)
        // Scaled like the base's latents, but the shift is not subtracted.
        let format = LatentFormat(channels: latentFormat.channels, scale: latentFormat.scale)
        let hint = try ControlHint.latent(
            attachment, geometry, format, maskChannel: extraHintChannels == 1, file: source.name, on: b)
        return SD3PreparedControl(network: self, hint: hint, strength: attachment.strength)
    }
}

/// Such a ControlNet with its hint.
struct SD3PreparedControl: PreparedControl {
    let network: SD3ControlNetwork
    /// `[batch, 16 or 17, h, w]` in model units.
    let hint: Tensor
    let strength: Float

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let t = network.transformer
        let batch = call.x.shape[0]
        let patches = try Patches.cut(HostMath.cycleBatch(hint, to: batch))
        var img = try b.linear(
            b.place(patches), network.hintIn, LinearEpilogue(residual: Residual(t.image(call.x, on: b))))
        var txt = try t.text(call.entry.context, batch: batch, on: b)
        // These networks were trained with the pooled vector at zero.
        let sum = try b.add(t.time(call.time, batch: batch, on: b), t.pooled(nil, batch: batch, on: b))
        let vector = try b.activate(sum, .silu, result: .full)
        var list: [Tensor?] = []
        for index in 0..<network.usedOutputs {
            (img, txt) = try t.blocks[index](img, txt, vector: vector, on: b)
            let residual = try ControlHint.weighted(img, network.outputs[index], strength, on: b)
            let isLast = index == network.outputs.count - 1
            list += [Tensor?](repeating: residual, count: network.run - (isLast ? 1 : 0))
        }
        return ControlResiduals(groups: [SD3ControlNetwork.group: list])
    }
}
