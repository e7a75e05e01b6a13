public import Checkpoints
public import Diffusion
import Images
import Synchronization
public import Tensors

/// T2I-adapters (Mou et al. 2023; layouts of TencentARC and diffusers): a small network that makes features of the hint
/// once per run, added to the UNet's encoder at the end of each resolution level.
public struct UNetAdapter: UNetControl {
    /// x + conv1×1(ReLU(conv3×3 x)), after an optional halving and an optional change of channels.
    struct Block: Sendable {
        let halves: Bool
        let input: PointwiseConvolution?
        let first: Convolution
        let second: PointwiseConvolution
    }
    let source: WeightSource
    let kind: UNetKind
    /// Side of the squares of pixels that become one position.
    private let cell: Int
    private let hintChannels: Int
    private let input: Convolution
    /// By resolution level.
    private let levels: [[Block]]

    static func recognises(_ source: WeightSource) -> Bool {
        native(source).map { $0.contains("conv_in.weight") && $0.contains("body.0.block1.weight") } ?? false
    }

    /// The source under the flat names of the original ("body.3.block1"): diffusers counts by level.
    private static func native(_ source: WeightSource) -> WeightSource? {
        guard source.contains("adapter.conv_in.weight") else { return source }
        return try? source.renamed { key, tensor in
            let rows = 0..<(tensor.shape.rank == 0 ? 1 : tensor.shape[0])
            var parts = key.split(separator: ".").map(String.init)
            if parts.first == "adapter" { parts.removeFirst() }
            if parts.count > 4, parts[0] == "body", parts[2] == "resnets", let level = Int(parts[1]),
                let index = Int(parts[3])
            {
                parts.replaceSubrange(1...3, with: [String(2 * level + index)])
            } else if parts.count > 3, parts[0] == "body", parts[2] == "in_conv", let level = Int(parts[1]) {
                parts[1] = String(2 * level)
            }
            return [(parts.joined(separator: "."), rows, rows)]
        }
    }

    public init(_ source: WeightSource) throws(CheckpointError) {
        let native = Self.native(source) ?? source
        self.source = native
        let w = Weights(native)
        guard let kernel = native.shape("conv_in.weight"), kernel.count == 4 else {
            throw CheckpointError(.missingKey, "\(source.name): the kernel \"conv_in.weight\" is missing")
        }
        let forms = [64: (8, 1), 192: (8, 3), 256: (16, 1), 768: (16, 3)]
        guard let form = forms[kernel[1]] else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): a T2I-adapter with \(kernel[1]) input channels is not supported (64, 192, 256 and 768 are)"
            )
        }
        (cell, hintChannels) = form
        kind = cell == 16 ? .sdxl : .sd1
        input = try Convolution(w["conv_in"], from: kernel[1], to: kernel[0], size: kernel[2])
        var levels: [[Block]] = []
        var channels = kernel[0]
        for level in 0..<native.count("body.") / 2 {
            var blocks: [Block] = []
            for index in 0..<2 {
                let scope = w["body"][2 * level + index]
                guard let shape = scope.shape("block1.weight"), shape.count == 4 else {
                    throw CheckpointError(.missingKey, "\(source.name): \"\(scope.prefix).block1.weight\" is missing")
                }
                let changes = scope.contains("in_conv.weight")
                let to = shape[0]
                // SD1: every level but the first halves; SDXL: only the third.
                let halves = index == 0 && (kind == .sdxl ? level == 2 : level > 0)
                blocks.append(
                    Block(
                        halves: halves,
                        input: changes ? try PointwiseConvolution(scope["in_conv"], from: channels, to: to) : nil,
                        first: try Convolution(scope["block1"], from: to, to: to),
                        second: try PointwiseConvolution(scope["block2"], from: to, to: to)))
                channels = to
            }
            levels.append(blocks)
        }
        self.levels = levels
    }

    public var family: String { "\(kind.rawValue) T2I-adapter" }
    public var needsAutoencoder: Bool { false }
    public var extraHintChannels: Int { 0 }
    public var ownByteCount: Int { source.ownByteCount }

    public func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on b: any Backend
    ) throws -> any PreparedControl {
        guard geometry.latentShape[1] == 4 else {
            throw CheckpointError(
                .unknownFamily,
                "the T2I-adapter \(source.name) is for \(kind.rawValue), whose latents have 4 channels; the model's have "
                    + "\(geometry.latentShape[1])")
        }
        return UNetPreparedAdapter(adapter: self, attachment: attachment)
    }

    /// The features of all levels for a latent of a size.
    func features(of image: Tensor, height: Int, width: Int, on b: any Backend) throws -> [Tensor] {
        func side(_ size: Int) -> Int { (8 * size + cell - 1) / cell * cell }
        var hint = try resizeImage(
            image.slice(axis: 3, 0..<min(3, image.shape[3])), width: side(width), height: side(height),
            method: .nearestExact, crop: .center)
        if hintChannels == 1 {
            let (red, green, blue) = (
                try hint.slice(axis: 3, 0..<1), try hint.slice(axis: 3, 1..<2), try hint.slice(axis: 3, 2..<3)
            )
            hint = try HostMath.zip(red, green, blue) { ($0 + $1 + $2) / 3 }
        }
        var h = try input(b.place(Self.unshuffled(hint, cell)), on: b)
        var features: [Tensor] = []
        for level in levels {
            for block in level {
                if block.halves { h = try b.place(Self.halved(b.host(h))) }
                if let input = block.input { h = try input(h, on: b) }
                let wide = try HostMath.map(b.host(block.first(h, on: b))) { max($0, 0) }
                h = try block.second(b.place(wide), residual: h, on: b)
            }
            features.append(h)
        }
        return features
    }

    /// Squares of `cell` × `cell` pixels as channels, ordered (channel, row, column).
    static func unshuffled(_ x: Tensor, _ cell: Int) throws -> Tensor {
        let (batch, height, width, channels) = (x.shape[0], x.shape[1] / cell, x.shape[2] / cell, x.shape[3])
        let columns = x.shape[2]
        return try x.asFloat32().withElements(of: Float.self) { input in
            try Tensor.build([batch, height, width, channels * cell * cell], of: Float.self) { out in
                var at = 0
                for item in 0..<batch {
                    for row in 0..<height {
                        for column in 0..<width {
                            for channel in 0..<channels {
                                for y in 0..<cell {
                                    let start = (item * height * cell + row * cell + y) * columns + column * cell
                                    for x in 0..<cell {
                                        out[at] = input[(start + x) * channels + channel]
                                        at += 1
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Means of 2 × 2 pixels; what is left over at the edges is averaged alone.
    static func halved(_ x: Tensor) throws -> Tensor {
        let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let (rows, columns) = ((height + 1) / 2, (width + 1) / 2)
        return try x.withElements(of: Float.self) { input in
            try Tensor.build([batch, rows, columns, channels], of: Float.self) { out in
                for item in 0..<batch {
                    for row in 0..<rows {
                        for column in 0..<columns {
                            let ys = 2 * row..<min(2 * row + 2, height)
                            let xs = 2 * column..<min(2 * column + 2, width)
                            for channel in 0..<channels {
                                var sum: Float = 0
                                for y in ys {
                                    for x in xs { sum += input[((item * height + y) * width + x) * channels + channel] }
                                }
                                out[((item * rows + row) * columns + column) * channels + channel] =
                                    sum / Float(ys.count * xs.count)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where a level's features are added: after the last residual block of each level in SD1; in SDXL, whose first level
    /// has no attention, the first level's after its downsampling and the fourth's in the middle.
    func residuals(_ features: [Tensor]) -> ControlResiduals {
        let places = kind == .sdxl ? [3, 5, 8] : [2, 5, 8, 11]
        var inputs: [Tensor?] = []
        for (feature, place) in zip(features, places) {
            while inputs.count < place { inputs.append(nil) }
            inputs.append(feature)
        }
        var groups = ["input": inputs]
        if kind == .sdxl, features.count > places.count { groups["middle"] = [features[places.count]] }
        return ControlResiduals(groups: groups)
    }
}

/// A T2I-adapter with its hint.
final class UNetPreparedAdapter: PreparedControl {
    private let adapter: UNetAdapter
    private let attachment: ControlAttachment
    private let known = Mutex([[Int]: ControlResiduals]())

    init(adapter: UNetAdapter, attachment: ControlAttachment) {
        self.adapter = adapter
        self.attachment = attachment
    }

    func residuals(_ call: NetworkCall, on b: any Backend) throws -> ControlResiduals {
        let (batch, height, width) = (call.x.shape[0], call.x.shape[2], call.x.shape[3])
        if let made = known.withLock({ $0[[batch, height, width]] }) { return made }
        let strength = attachment.strength
        let features = try adapter.features(of: attachment.image, height: height, width: width, on: b).map { feature in
            let all = try HostMath.cycleBatch(b.host(feature), to: batch)
            return try b.place(HostMath.map(all) { $0 * strength })
        }
        let made = adapter.residuals(features)
        known.withLock { $0[[batch, height, width]] = made }
        return made
    }
}
