import Checkpoints
import Tensors

/// The layers of one half of a tiny autoencoder, in the order of their numbers: convolutions and residual blocks.
///
/// Convolutions without bias change the size: by stride 2 in an encoder, after doubling in a decoder. The first one of a
/// decoder is followed by a ReLU.
struct TinyLayers: Sendable {
    enum Half { case encoder, decoder }

    private enum Layer: Sendable {
        case convolution(Convolution, Activation)
        case halving(Convolution)
        case doubling(Convolution)
        case block(TinyBlock)
    }
    private let layers: [Layer]
    /// How many of the layers change the size.
    let resizings: Int

    init(_ source: WeightSource, _ half: Half, inputs: Int, outputs: Int) throws(CheckpointError) {
        let prefix = Self.prefix(source, half)
        let numbers = Set(
            source.keys.compactMap { key in
                key.hasPrefix(prefix) ? Int(key.dropFirst(prefix.count).prefix { $0 != "." }) : nil
            }
        ).sorted()
        let root = Weights(source, prefix: String(prefix.dropLast()))
        var layers: [Layer] = []
        var resizings = 0
        var channels = inputs
        for (place, number) in numbers.enumerated() {
            let w = prefix.isEmpty ? Weights(source)[number] : root[number]
            if w.contains("conv.0.weight") {
                let block = try TinyBlock(w, from: channels)
                channels = block.outputs
                layers.append(.block(block))
                continue
            }
            guard let shape = w.shape("weight"), shape.count == 4, shape[2] == 3 else {
                throw CheckpointError(
                    .unknownFamily,
                    "\(source.name) is no \(half == .encoder ? "encoder" : "decoder") of a tiny autoencoder (TAESD): layer "
                        + "\(number) is neither a 3×3 convolution nor a residual block")
            }
            let convolution = try Convolution(w, from: channels, to: shape[0])
            channels = shape[0]
            if convolution.bias == nil {
                resizings += 1
                layers.append(half == .encoder ? .halving(convolution) : .doubling(convolution))
            } else {
                layers.append(.convolution(convolution, half == .decoder && place == 0 ? .relu : .identity))
            }
        }
        guard !layers.isEmpty, channels == outputs else {
            throw CheckpointError(
                .unknownFamily,
                "\(source.name) is no \(half == .encoder ? "encoder" : "decoder") of this tiny autoencoder: from "
                    + "\(inputs) channels it makes \(channels), expected \(outputs); is it another family's (TAESD, TAESDXL: "
                    + "4 channels; TAESD3, TAEF1: 16)?")
        }
        self.layers = layers
        self.resizings = resizings
    }

    /// Bare numbers in TAESD's files, `decoder.layers.` in those of diffusers.
    private static func prefix(_ source: WeightSource, _ half: Half) -> String {
        let name = half == .encoder ? "encoder" : "decoder"
        return ["\(name).layers.", "\(name).", "taesd_\(name).", ""].first { prefix in
            source.keys.contains { $0.hasPrefix(prefix) }
        } ?? ""
    }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        var h = x
        for layer in layers {
            switch layer {
            case .convolution(let convolution, let activation): h = try convolution(h, activation, on: b)
            case .halving(let convolution): h = try convolution(h, stride: 2, on: b)
            case .doubling(let convolution):
                h = try convolution(b.resizeNearest(h, height: 2 * h.shape[1], width: 2 * h.shape[2]), on: b)
            case .block(let block): h = try block(h, on: b)
            }
        }
        return h
    }
}

/// relu(conv(relu(conv(relu(conv x)))) + skip x), the skip a 1×1 convolution where the channels change.
struct TinyBlock: Sendable {
    private let convolutions: [Convolution]
    private let skip: PointwiseConvolution?
    let outputs: Int

    init(_ w: Weights, from inputs: Int) throws(CheckpointError) {
        outputs = try w.source.dimensions(w["conv.0"].prefix + ".weight", rank: 4)[0]
        convolutions = [
            try Convolution(w["conv.0"], from: inputs, to: outputs),
            try Convolution(w["conv.2"], from: outputs, to: outputs),
            try Convolution(w["conv.4"], from: outputs, to: outputs),
        ]
        skip = w.contains("skip.weight") ? try PointwiseConvolution(w["skip"], from: inputs, to: outputs) : nil
    }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        let h = try convolutions[2](convolutions[1](convolutions[0](x, .relu, on: b), .relu, on: b), on: b)
        let sum = try skip.map { try $0(x, residual: h, on: b) } ?? b.add(x, h)
        return try b.activate(sum, .relu, result: .full)
    }
}
