import CoreNodes
import Diffusion
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Width and height of a picture, or of what a latent becomes (pack-nodes.md §3).
struct ImageOrLatentSize: Node {
    static let info = NodeInfo("Image or Latent Size (rgthree)", category: "rgthree")

    @Input(.type("IMAGE,LATENT")) var input: AnyNodeValue
    @Output("WIDTH") var width: Int
    @Output("HEIGHT") var height: Int

    func run(_ context: NodeContext) async throws {
        switch input.base {
        case let image as Image:
            let size = try image.size()
            (width, height) = (size.width, size.height)
        case let latent as Latent:
            let shape = latent.samples.shape
            guard shape.rank >= 2 else { throw NodeError("a latent needs height and width, found the shape \(shape)") }
            (width, height) = (shape[shape.rank - 1] * 8, shape[shape.rank - 2] * 8)
        default:
            throw NodeError("input \"input\": expected IMAGE or LATENT, found \(type(of: input.base).socketType)")
        }
    }
}

/// A picture without its margins, which are floored to multiples of 8 (pack-nodes.md §3).
struct ImageInsetCrop: Node {
    static let info = NodeInfo("Image Inset Crop (rgthree)", category: "rgthree")

    @Input var image: Image
    @Input(.choices(["Pixels", "Percentage"])) var measurement: String
    @Input(.range(0...16384), .step(8)) var left = 0
    @Input(.range(0...16384), .step(8)) var right = 0
    @Input(.range(0...16384), .step(8)) var top = 0
    @Input(.range(0...16384), .step(8)) var bottom = 0
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        let size = try image.size()
        func margin(_ value: Int, _ name: String, of side: Int) throws -> Int {
            try requireInRange(value, name, 0...1 << 20)
            let pixels = measurement == "Percentage" ? (Double(side) * (Double(value) / 100)).truncatedInt : value
            return pixels / 8 * 8
        }
        let x = (try margin(left, "left", of: size.width), try margin(right, "right", of: size.width))
        let y = (try margin(top, "top", of: size.height), try margin(bottom, "bottom", of: size.height))
        guard x.0 + x.1 < size.width, y.0 + y.1 < size.height else {
            throw NodeError("nothing of the picture of \(size.width)×\(size.height) pixels is left between the margins")
        }
        result = Image(
            try cropImage(
                image.tensor, left: x.0, top: y.0, width: size.width - x.0 - x.1, height: size.height - y.0 - y.1
            ).asFloat32())
    }
}

/// An empty latent in one of the sizes SDXL was trained for (pack-nodes.md §3).
struct SDXLEmptyLatentImage: ValidatingNode {
    static let info = NodeInfo("SDXL Empty Latent Image (rgthree)", category: "rgthree")
    // The names hold their sizes, so those of other versions are understood too.
    static var checks: NodeChecks { NodeChecks(ports: ["dimensions"]) }

    @Input(
        .choices([
            "1536 x 640   (landscape)", "1344 x 768   (landscape)", "1216 x 832   (landscape)",
            "1152 x 896   (landscape)", "1024 x 1024  (square)", " 896 x 1152  (portrait)", " 832 x 1216  (portrait)",
            " 768 x 1344  (portrait)", " 640 x 1536  (portrait)",
        ]))
    var dimensions = "1024 x 1024  (square)"
    @Input(.range(1.0...10.0), .step(0.5)) var clipScale = 2.0
    @Input(.range(1...64)) var batchSize = 1
    @Output("LATENT") var latent: Latent
    @Output("CLIP_WIDTH") var clipWidth: Int
    @Output("CLIP_HEIGHT") var clipHeight: Int

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        guard $dimensions.isGiven else { return nil }
        do {
            _ = try size()
            return nil
        } catch {
            return "\(error)"
        }
    }

    func run(_ context: NodeContext) async throws {
        let size = try size()
        try requireInRange(batchSize, "batch_size", 1...4096)
        latent = Latent(samples: try Tensor.zeros([batchSize, 4, size.height / 8, size.width / 8]))
        (clipWidth, clipHeight) = (
            (Double(size.width) * clipScale).truncatedInt, (Double(size.height) * clipScale).truncatedInt
        )
    }

    private func size() throws -> PictureSize {
        let words = dimensions.split(separator: " ")
        guard words.count >= 3, words[1] == "x", let width = Int(words[0]), let height = Int(words[2]),
            (8...65536).contains(width), (8...65536).contains(height)
        else {
            throw NodeError(
                "input \"dimensions\": \"\(dimensions.prefix(50))\" does not begin with a size like 1024 x 1024")
        }
        return PictureSize(width: width, height: height)
    }
}
