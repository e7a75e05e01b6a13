import Images
import NodeKit

/// A Gaussian blur (families-unet-sampling.md §19).
struct ImageBlur: Node {
    static let info = NodeInfo("ImageBlur", category: "image/postprocessing", style: .v3)

    @Input var image: Image
    @Input(.range(1...31), .step(1)) var blurRadius = 1
    @Input(.range(0.1...10.0), .step(0.1)) var sigma = 1.0
    @Output var blurred: Image

    func run(_ context: NodeContext) async throws {
        blurred = Image(try blurImage(image.tensor, radius: blurRadius, sigma: sigma))
    }
}

/// The picture with its difference from a blurred one added (families-unet-sampling.md §19).
struct ImageSharpen: Node {
    static let info = NodeInfo("ImageSharpen", category: "image/postprocessing", style: .v3)

    @Input var image: Image
    @Input(.range(1...31), .step(1)) var sharpenRadius = 1
    @Input(.range(0.1...10.0), .step(0.01)) var sigma = 1.0
    @Input(.range(0.0...5.0), .step(0.01)) var alpha = 1.0
    @Output var sharpened: Image

    func run(_ context: NodeContext) async throws {
        sharpened = Image(try sharpenImage(image.tensor, radius: sharpenRadius, sigma: sigma, alpha: alpha))
    }
}

/// White lines where the picture has edges.
struct Canny: Node {
    static let info = NodeInfo("Canny", category: "image/preprocessors", style: .v3)

    @Input var image: Image
    @Input(.range(0.01...0.99), .step(0.01)) var lowThreshold = 0.4
    @Input(.range(0.01...0.99), .step(0.01)) var highThreshold = 0.8
    @Output var edges: Image

    func run(_ context: NodeContext) async throws {
        edges = Image(try cannyEdges(image.tensor, low: Float(lowThreshold), high: Float(highThreshold)))
    }
}

/// Grey-scale morphology with a square box.
struct MorphologyNode: Node {
    static let info = NodeInfo(
        "Morphology", displayName: "ImageMorphology", category: "image/postprocessing", style: .v3)

    @Input var image: Image
    @Input(.choices(["erode", "dilate", "open", "close", "gradient", "bottom_hat", "top_hat"])) var operation: String
    @Input(.range(3...999), .step(1)) var kernelSize = 3
    @Output var filtered: Image

    func run(_ context: NodeContext) async throws {
        let operation: Images.Morphology = try choice(operation, "operation")
        filtered = Image(try operation.apply(to: image.tensor, size: kernelSize))
    }
}
