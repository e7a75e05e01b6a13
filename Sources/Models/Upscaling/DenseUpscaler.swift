import Checkpoints
import Tensors

/// ESRGAN's generator RRDBNet (Wang et al. 2018, arXiv:1809.00219): residual blocks of residual dense blocks, then
/// nearest-neighbour enlargement and convolutions. Real-ESRGAN's ×2 and ×1 models (arXiv:2107.10833) gather squares of
/// pixels into channels first.
///
/// Everything is read from the file: channels, blocks, growth, enlargements.
struct DenseUpscaler: UpscaleNetwork {
    let description: String
    let scale: Int
    let steps: Int
    let ownByteCount: Int
    let bytesPerPixel: Int
    /// Side of the squares of pixels that become channels at the start; 1 for none.
    private let gathering: Int
    private let first: Convolution
    private let blocks: [ResidualDenseGroup]
    private let trunk: Convolution
    private let tail: EnlargingTail

    /// - Parameter source: under the names of ``DenseUpscalerKeys``.
    init(_ source: WeightSource) throws(CheckpointError) {
        let w = Weights(source)
        let start = try source.dimensions("first.weight", rank: 4)
        let end = try source.dimensions("last.weight", rank: 4)
        let (channels, inputs) = (start[0], start[1])
        let enlargements = source.count("up.")
        guard end[0] == 3 else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): the upscale model makes pictures of \(end[0]) channels; only models for colour pictures "
                    + "(3 channels) are supported")
        }
        switch inputs {
        case 3: gathering = 1
        case 12: gathering = 2
        case 48: gathering = 4
        default:
            throw CheckpointError(
                .unsupported,
                "\(source.name): the upscale model takes \(inputs) channels; supported are 3, and 12 or 48 (pixel "
                    + "unshuffle of colour pictures)")
        }
        guard enlargements <= 4, 1 << enlargements >= gathering else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): \(enlargements) enlargements after a pixel unshuffle by \(gathering) are not supported"
            )
        }
        scale = (1 << enlargements) / gathering
        first = try Convolution(w["first"], from: inputs, to: channels, operands: .compute)
        var blocks: [ResidualDenseGroup] = []
        for index in 0..<source.count("blocks.") {
            blocks.append(try ResidualDenseGroup(w["blocks"][index], channels: channels))
        }
        guard !blocks.isEmpty else {
            throw CheckpointError(.missingKey, "\(source.name): the upscale model has no dense blocks")
        }
        self.blocks = blocks
        trunk = try Convolution(w["trunk"], from: channels, to: channels, operands: .compute)
        tail = try EnlargingTail(w, channels: channels, enlargements: enlargements, outputs: end[0])
        steps = blocks.count + 1
        // The joined features of a dense block, their rounded copy, and what the block still holds.
        bytesPerPixel = 12 * (blocks[0].width + channels) / (gathering * gathering)
        ownByteCount = source.ownByteCount + blocks.reduce(0) { $0 + $1.ownByteCount }
        description = "ESRGAN, ×\(scale), \(channels) channels, \(blocks.count) blocks"
    }

    func callAsFunction(_ picture: Tensor, on b: any Backend, onStep: () throws -> Void) throws -> Tensor {
        // The reference pads to multiples of 4 whenever pixels are gathered, also for squares of 2.
        let padded = try PixelShuffle.padded(picture, multiple: gathering == 1 ? 1 : 4, least: 2)
        let gathered = gathering == 1 ? padded : try PixelShuffle.gather(padded, factor: gathering)
        let start = try first(b.place(gathered), on: b)
        var features = start
        for block in blocks {
            features = try block(features, on: b)
            try onStep()
        }
        features = try b.add(trunk(features, on: b), start)
        let result = try tail(features, on: b)
        try onStep()
        return try result.slice(axis: 1, 0..<picture.shape[1] * scale).slice(axis: 2, 0..<picture.shape[2] * scale)
            .asFloat32()
    }
}

/// x + 0.2 · (three dense blocks, one after the other).
private struct ResidualDenseGroup: Sendable {
    let dense: [ResidualDenseBlock]
    private let share: Tensor

    init(_ w: Weights, channels: Int) throws(CheckpointError) {
        var dense: [ResidualDenseBlock] = []
        for index in 0..<3 { dense.append(try ResidualDenseBlock(w["dense"][index], channels: channels)) }
        self.dense = dense
        do { share = try Tensor([0.2]) } catch { throw CheckpointError(.malformed, error.message) }
    }

    var ownByteCount: Int { dense.reduce(0) { $0 + $1.ownByteCount } }
    /// Channels of the longest joined features.
    var width: Int { dense.map(\.width).max() ?? 0 }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        var h = x
        for block in dense { h = try block(h, on: b) }
        return try b.add(x, b.multiply(h, b.place(share)))
    }
}

/// x + 0.2 · conv5(x, x₁, …, x₄) where xₖ = lrelu(convₖ(x, x₁, …, xₖ₋₁)).
///
/// ESRGAN+ (Rakotonirina and Rasoanaivo 2020, arXiv:2001.08073) adds a 1×1 convolution of x to x₂, and x₂ to x₄.
private struct ResidualDenseBlock: Sendable {
    private let growing: [Convolution]
    private let last: Convolution
    private let pointwise: PointwiseConvolution?

    init(_ w: Weights, channels: Int) throws(CheckpointError) {
        let growth = try w.source.dimensions(w["conv1"].prefix + ".weight", rank: 4)[0]
        var growing: [Convolution] = []
        for index in 0..<4 {
            growing.append(
                try Convolution(
                    w["conv\(index + 1)"], from: channels + index * growth, to: growth, operands: .compute))
        }
        self.growing = growing
        // 0.2 is multiplied into the weights.
        last = try Convolution(w["conv5"], from: channels + 4 * growth, to: channels, operands: .compute).scaled(
            by: 0.2)
        pointwise =
            w.contains("conv1x1.weight") ? try PointwiseConvolution(w["conv1x1"], from: channels, to: growth) : nil
    }

    var ownByteCount: Int { 4 * last.kernel.count }
    var width: Int { last.kernel.shape[1] }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        var parts = [x]
        for (index, convolution) in growing.enumerated() {
            let joined = parts.count == 1 ? x : try b.concatenate(parts, axis: 3)
            var grown = try convolution(joined, .leakyRelu, on: b)
            if let pointwise {
                if index == 1 { grown = try pointwise(x, residual: grown, on: b) }
                if index == 3 { grown = try b.add(grown, parts[2]) }
            }
            parts.append(grown)
        }
        return try b.add(x, last(b.concatenate(parts, axis: 3), on: b))
    }
}

/// Enlargements by 2, each followed by a convolution, and the two last convolutions.
///
/// The result has 16 times the pixels of the features, or more. So that memory does not decide about the tile size, bands
/// of rows are computed one after the other, each with as many rows around it as its result depends on.
private struct EnlargingTail: Sendable {
    private let enlarging: [Convolution]
    private let high: Convolution
    private let last: Convolution
    private let outputs: Int

    /// Rows of features of one band.
    private static let band = 64
    /// Each convolution looks one row further, the first one at twice the features' size; without an enlargement the two
    /// last ones look two rows further.
    private static let margin = 3

    init(_ w: Weights, channels: Int, enlargements: Int, outputs: Int) throws(CheckpointError) {
        var enlarging: [Convolution] = []
        for index in 0..<enlargements {
            enlarging.append(try Convolution(w["up"][index], from: channels, to: channels, operands: .compute))
        }
        self.enlarging = enlarging
        self.outputs = outputs
        high = try Convolution(w["high"], from: channels, to: channels, operands: .compute)
        last = try Convolution(w["last"], from: channels, to: outputs, operands: .compute)
    }

    func callAsFunction(_ features: Tensor, on b: any Backend) throws -> Tensor {
        let rows = features.shape[1]
        let factor = 1 << enlarging.count
        var bands: [Tensor] = []
        for start in stride(from: 0, to: rows, by: Self.band) {
            let end = min(rows, start + Self.band)
            let (top, bottom) = (max(0, start - Self.margin), min(rows, end + Self.margin))
            let result = try whole(b.contiguous(features.slice(axis: 1, top..<bottom)), on: b)
            bands.append(
                try b.host(b.contiguous(result.slice(axis: 1, (start - top) * factor..<(end - top) * factor))))
        }
        return bands.count == 1 ? bands[0] : try HostMath.concatenate(bands, axis: 1)
    }

    private func whole(_ features: Tensor, on b: any Backend) throws -> Tensor {
        var h = features
        for convolution in enlarging {
            h = try convolution(
                b.resizeNearest(h, height: 2 * h.shape[1], width: 2 * h.shape[2]), .leakyRelu, on: b)
        }
        return try last(high(h, .leakyRelu, on: b), on: b)
    }
}

extension Convolution {
    /// The convolution with its result multiplied by a number.
    fileprivate func scaled(by factor: Float) throws(CheckpointError) -> Convolution {
        do {
            return Convolution(
                kernel: try HostMath.scale(kernel, factor), bias: try bias.map { try HostMath.scale($0, factor) },
                operands: operands)
        } catch { throw CheckpointError(.malformed, "\(error)") }
    }
}
