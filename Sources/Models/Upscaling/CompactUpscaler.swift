import Checkpoints
import Tensors

/// Real-ESRGAN's compact generator SRVGGNetCompact (github.com/xinntao/Real-ESRGAN): convolutions with a learned slope
/// below 0, and channels spread to pixels at the end; the enlarged picture is added.
struct CompactUpscaler: UpscaleNetwork {
    let description: String
    let scale: Int
    let ownByteCount: Int
    private let layers: [(convolution: Convolution, slopes: Tensor)]
    private let last: Convolution

    var steps: Int { layers.count + 1 }
    // Source, rounded source and result of a layer.
    var bytesPerPixel: Int { 10 * last.kernel.shape[1] + 16 * last.kernel.shape[0] }

    static func recognises(_ source: WeightSource) -> Bool {
        source.shape("body.0.weight")?.count == 4 && source.shape("body.1.weight")?.count == 1
            && source.shape("body.2.weight")?.count == 4
    }

    init(_ source: WeightSource) throws(CheckpointError) {
        let count = source.count("body.")
        let start = try source.dimensions("body.0.weight", rank: 4)
        guard count >= 3, count % 2 == 1 else {
            throw CheckpointError(
                .malformed,
                "\(source.name): a compact upscale model has an odd number of layers (convolutions with slopes between), "
                    + "found \(count)")
        }
        let (channels, inputs) = (start[0], start[1])
        let end = try source.dimensions("body.\(count - 1).weight", rank: 4)
        guard inputs == 3, let scale = (1...16).first(where: { 3 * $0 * $0 == end[0] }) else {
            throw CheckpointError(
                .unsupported,
                "\(source.name): the compact upscale model takes \(inputs) channels and gives \(end[0]); supported are "
                    + "colour pictures: 3, and 3 times a square")
        }
        self.scale = scale
        let w = Weights(source)["body"]
        var layers: [(convolution: Convolution, slopes: Tensor)] = []
        for index in stride(from: 0, to: count - 1, by: 2) {
            let convolution = try Convolution(
                w[index], from: index == 0 ? inputs : channels, to: channels, operands: .compute)
            layers.append((convolution, try w[index + 1].vector("weight", channels)))
        }
        self.layers = layers
        last = try Convolution(w[count - 1], from: channels, to: end[0], operands: .compute)
        ownByteCount = source.ownByteCount
        description = "Real-ESRGAN compact, ×\(scale), \(channels) channels, \(layers.count) layers"
    }

    func callAsFunction(_ picture: Tensor, on b: any Backend, onStep: () throws -> Void) throws -> Tensor {
        var h = try b.place(picture)
        for layer in layers {
            h = try b.parametricRelu(layer.convolution(h, on: b), slopes: b.place(layer.slopes))
            try onStep()
        }
        let details = try PixelShuffle.spread(b.host(last(h, on: b)), factor: scale)
        let base = try b.host(
            b.resizeNearest(b.place(picture), height: picture.shape[1] * scale, width: picture.shape[2] * scale))
        try onStep()
        return try HostMath.add(details, base)
    }
}
