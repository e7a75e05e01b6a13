import JSON
import NodeKit
import PackTools
import Tensors

/// A picture with less colour.
struct EssentialsImageDesaturate: Node {
    static let info = NodeInfo(
        "ImageDesaturate+", displayName: "🔧 Image Desaturate", category: "essentials/image processing")
    private static let methods = ["luminance (Rec.709)", "luminance (Rec.601)", "average", "lightness"]

    @Input var image: Image
    @Input(.range(0.0...1.0), .step(0.05)) var factor = 1.0
    @Input(.choices(methods)) var method: String
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        let grey: ([Float]) -> Float
        switch method {
        case "luminance (Rec.709)": grey = { 0.2126 * $0[0] + 0.7152 * $0[1] + 0.0722 * $0[2] }
        case "luminance (Rec.601)": grey = { 0.299 * $0[0] + 0.587 * $0[1] + 0.114 * $0[2] }
        case "average": grey = { ($0[0] + $0[1] + $0[2]) / 3 }
        case "lightness": grey = { (max($0[0], $0[1], $0[2]) + min($0[0], $0[1], $0[2])) / 2 }
        default:
            throw NodeError(
                "input \"method\": \"\(method.prefix(50))\" is unknown; use one of: "
                    + Self.methods.joined(separator: ", "))
        }
        let share = Float(factor)
        result = Image(
            try mapColours(image) { colour in
                let value = grey(colour)
                return colour.map { (1 - share) * $0 + share * value }
            })
    }
}

/// A picture in black and white: 1 where the mean of the colours is above the threshold.
struct EssentialsImagePosterize: Node {
    static let info = NodeInfo(
        "ImagePosterize+", displayName: "🔧 Image Posterize", category: "essentials/image processing")

    @Input var image: Image
    @Input(.range(0.0...1.0), .step(0.05)) var threshold = 0.5
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        let limit = Float(threshold)
        result = Image(
            try mapColours(image) { colour in
                [Float](repeating: (colour[0] + colour[1] + colour[2]) / 3 > limit ? 1 : 0, count: 3)
            })
    }
}

/// The first three channels of every pixel changed.
private func mapColours(_ image: Image, _ body: ([Float]) -> [Float]) throws -> Tensor {
    _ = try image.size()
    let channels = image.tensor.shape[3]
    guard channels >= 3 else { throw NodeError("a picture with 3 colours is needed, found \(channels) channels") }
    return try image.tensor.asFloat32().withElements(of: Float.self) { source in
        try Tensor.build(image.tensor.shape.replacing(3, with: 3), of: Float.self) { out in
            for pixel in 0..<source.count / channels {
                let colour = body((0..<3).map { source[pixel * channels + $0] })
                for channel in 0..<3 { out[pixel * 3 + channel] = colour[channel] }
            }
        }
    }
}
