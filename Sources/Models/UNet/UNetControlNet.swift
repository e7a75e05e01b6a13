public import Checkpoints
public import Diffusion
import Images
import Synchronization
public import Tensors

/// A ControlNet that belongs to one kind of UNet.
protocol UNetControl: ControlNetwork {
    var kind: UNetKind { get }
    /// - Throws: ``CheckpointError`` when it was made for a UNet of that kind, but of another size.
    func requireSize(of base: UNetNetwork) throws(CheckpointError)
}

extension UNetControl {
    func requireSize(of base: UNetNetwork) throws(CheckpointError) {}
}

/// ControlNets for UNets (Zhang et al. 2023; families-unet-sampling.md §6): a copy of the UNet's encoder half that also
/// sees a hint picture; every block's output, through a 1×1 convolution, is added to the UNet's skip of the same block.
public struct UNetControlNetwork: UNetControl {
    let source: WeightSource
    let encoder: UNetEncoder
    private let hint: UNetHintNetwork
    private let outputs: [PointwiseConvolution]
    private let middleOutput: PointwiseConvolution?
    /// Whether outputs are averaged over the picture (files named `…_shuffle…`: they say what, not where).
    private let averagesOutputs: Bool

    static func recognises(_ source: WeightSource) -> Bool {
        source.contains("zero_convs.0.0.weight") || source.contains("control_model.zero_convs.0.0.weight")
            || source.contains("controlnet_cond_embedding.conv_in.weight")
                && source.contains("down_blocks.0.resnets.0.conv1.weight")
    }

    /// - Parameter source: the file under its own names.
    public init(_ source: WeightSource) throws(CheckpointError) {
        var native = source
        if source.contains("control_model.zero_convs.0.0.weight") {
            native = try source.renamed { key, tensor in
                let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
                let prefix = "control_model."
                return [(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key, rows, rows)]
            }
        } else if source.contains("controlnet_cond_embedding.conv_in.weight") {
            native = try UNetDiffusersKeys.native(source)
        }
        self.source = native
        let shape = try UNetEncoderShape(native)
        guard shape.inputChannels == 4 else {
            throw CheckpointError(
                .unsupported, "\(source.name): a ControlNet with \(shape.inputChannels) input channels is not supported"
            )
        }
        let w = Weights(native)
        encoder = try UNetEncoder(w, shape)
        hint = try UNetHintNetwork(w["input_hint_block"], channels: shape.modelChannels)
        var outputs: [PointwiseConvolution] = []
        for (index, channels) in shape.skips.enumerated() {
            outputs.append(try PointwiseConvolution(w["zero_convs"][index]["0"], from: channels, to: channels))
        }
        self.outputs = outputs
        let deepest = shape.skips.last ?? shape.modelChannels
        middleOutput =
            w.contains("middle_block_out.0.weight")
            ? try PointwiseConvolution(w["middle_block_out.0"], from: deepest, to: deepest) : nil
        let name = source.name.split(separator: "/").last ?? ""
        let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
        averagesOutputs = stem.hasSuffix("_shuffle") || stem.hasSuffix("_shuffle_fp16")
    }

    var kind: UNetKind { encoder.shape.kind }
    public var family: String { "\(kind.rawValue) ControlNet" }
    public var needsAutoencoder: Bool { false }
    public var extraHintChannels: Int { 0 }
    public var ownByteCount: Int { source.ownByteCount }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        guard geometry.latentShape[1] == 4 else {
            throw CheckpointError(
                .unknownFamily,
                "the ControlNet \(source.name) is for \(kind.rawValue), whose latents have 4 channels; the model's have "
                    + "\(geometry.latentShape[1]): choose a ControlNet made for the model")
        }
        return UNetPreparedControl(network: self, attachment: attachment)
    }

    func requireSize(of base: UNetNetwork) throws(CheckpointError) {
        let (own, theirs) = (encoder.shape, base.configuration.encoder)
        // ControlNets may have fewer transformer blocks than the UNet, even none, but not other widths.
        let seesText = own.contextWidth != nil && theirs.contextWidth != nil
        if own.skips == theirs.skips && (!seesText || own.contextWidth == theirs.contextWidth) { return }
        func describe(_ shape: UNetEncoderShape) -> String {
            "\(shape.blocks.count) blocks of \(shape.skips.min() ?? 0) to \(shape.skips.max() ?? 0) channels, text features "
                + "of width \(shape.contextWidth ?? 0)"
        }
        throw CheckpointError(
            .shapeMismatch,
            "the ControlNet \(source.name) is for a \(kind.rawValue) UNet of another size (\(describe(own))) than the "
                + "model \(base.source.name) (\(describe(theirs)))")
    }

    /// The hint's features at a latent size: `[batch, h, w, model channels]`.
    func features(of image: Tensor, height: Int, width: Int, on b: any Backend) throws -> Tensor {
        let fitted = try resizeImage(
            image.slice(axis: 3, 0..<min(3, image.shape[3])), width: width * 8, height: height * 8,
            method: .nearestExact, crop: .center)
        return try hint(b.place(fitted), on: b)
    }

    /// The residuals for one evaluation.
    func residuals(
        _ call: NetworkCall, hint: Tensor, strength: Float, on b: any Backend
    ) throws -> ControlResiduals {
        let shape = encoder.shape
        let conditions = try encoder.conditions(
            time: call.time, vector: UNetInputs.vector(call, shape, name: source.name),
            context: UNetInputs.context(call, shape, name: source.name), batch: call.x.shape[0], on: b)
        let x = try b.contiguous(b.place(call.x).permuted([0, 2, 3, 1]))
        let (blocks, _) = try encoder(x, conditions, hint: hint, on: b)
        var groups: [String: [Tensor?]] = [:]
        groups["output"] = try zip(blocks, outputs).map { try finished($1($0, on: b), strength, on: b) }
        if let deepest = blocks.last, let middleOutput {
            let middle = try encoder.middle(deepest, conditions, on: b)
            groups["middle"] = [try finished(middleOutput(middle, on: b), strength, on: b)]
        }
        return ControlResiduals(groups: groups)
    }

    private func finished(_ residual: Tensor, _ strength: Float, on b: any Backend) throws -> Tensor {
        var residual = residual
        if averagesOutputs {
            let host = try b.host(residual)
            let (batch, pixels, channels) = (host.shape[0], host.shape[1] * host.shape[2], host.shape[3])
            let means = try host.withElements(of: Float.self) { x in
                try Tensor.build([batch, 1, 1, channels], of: Float.self) { out in
                    for item in 0..<batch {
                        for channel in 0..<channels {
                            var sum = 0.0
                            for pixel in 0..<pixels { sum += Double(x[(item * pixels + pixel) * channels + channel]) }
                            out[item * channels + channel] = Float(sum / Double(pixels))
                        }
                    }
                }
            }
            residual = try b.place(means.broadcast(to: host.shape).asFloat32())
        }
        return strength == 1 ? residual : try b.multiply(residual, b.place(Tensor([strength])))
    }
}

/// The hint picture's way to the size and channels of the UNet's first block: eight convolutions, three of them halving.
struct UNetHintNetwork: Sendable {
    private let layers: [(convolution: Convolution, stride: Int)]

    init(_ w: Weights, channels: Int) throws(CheckpointError) {
        let widths = [16, 16, 32, 32, 96, 96, 256, channels]
        var layers: [(convolution: Convolution, stride: Int)] = []
        var inputs = 3
        for (index, width) in widths.enumerated() {
            layers.append(
                (try Convolution(w[2 * index], from: inputs, to: width), [2, 4, 6].contains(index) ? 2 : 1))
            inputs = width
        }
        self.layers = layers
    }

    /// `[batch, 8h, 8w, 3]`, 0…1 → `[batch, h, w, channels]`.
    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        var h = x
        for (index, layer) in layers.enumerated() {
            h = try layer.convolution(
                h, stride: layer.stride, index + 1 < layers.count ? .silu : .identity, on: b)
        }
        return h
    }
}

/// A UNet ControlNet with its hint, whose features are computed once per size.
final class UNetPreparedControl: PreparedControl {
    private let network: UNetControlNetwork
    private let attachment: ControlAttachment
    private let features = Mutex([[Int]: Tensor]())

    init(network: UNetControlNetwork, attachment: ControlAttachment) {
        self.network = network
        self.attachment = attachment
    }

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        let known = features.withLock { $0[[height, width]] }
        let hint = try known ?? network.features(of: attachment.image, height: height, width: width, on: b)
        if known == nil { features.withLock { $0[[height, width]] = hint } }
        let fitted = try hint.shape[0] == batch ? hint : b.place(HostMath.cycleBatch(b.host(hint), to: batch))
        return try network.residuals(call, hint: fitted, strength: attachment.strength, on: b)
    }
}
