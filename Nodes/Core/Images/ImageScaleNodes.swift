import Images
import NodeKit

/// A picture enlarged or shrunk by a factor (families-unet-sampling.md §18).
struct ImageScaleBy: Node {
    static let info = NodeInfo("ImageScaleBy", displayName: "Upscale Image By", category: "image/upscaling")

    @Input var image: Image
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])) var upscaleMethod: String
    @Input(.range(0.01...8.0), .step(0.01)) var scaleBy = 1.0
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        let size = TargetSize.scaled(by: scaleBy, width: image.width, height: image.height)
        scaled = try image.resized(to: size, method: upscaleMethod)
    }
}

/// A picture with a number of pixels; a megapixel is 1024².
struct ImageScaleToTotalPixels: Node {
    static let info = NodeInfo("ImageScaleToTotalPixels", category: "image/upscaling", style: .v3)

    @Input var image: Image
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])) var upscaleMethod: String
    @Input(.range(0.01...16.0), .step(0.01)) var megapixels = 1.0
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        let size = TargetSize.totalPixels(megapixels: megapixels, width: image.width, height: image.height)
        scaled = try image.resized(to: size, method: upscaleMethod)
    }
}

/// A picture whose longer side gets a length.
struct ImageScaleToMaxDimension: Node {
    static let info = NodeInfo("ImageScaleToMaxDimension", category: "image/upscaling")

    @Input var image: Image
    @Input(.choices(["area", "lanczos", "bilinear", "nearest-exact", "bilinear", "bicubic"])) var upscaleMethod: String
    @Input(.range(0...16384), .step(1)) var largestSize = 512
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        let size = TargetSize.longerSide(largestSize, width: image.width, height: image.height)
        scaled = try image.resized(to: size, method: upscaleMethod)
    }
}

/// A picture in the nearest of the sizes that FLUX Kontext was trained with (families-flux.md §6).
struct FluxKontextImageScale: Node {
    static let info = NodeInfo("FluxKontextImageScale", category: "advanced/conditioning/flux", style: .v3)

    @Input var image: Image
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        let size = KontextSize.nearest(width: image.width, height: image.height)
        scaled = try image.resized(to: size, method: "lanczos", crop: .center)
    }
}

/// A picture scaled into a frame, with borders where its aspect ratio is another.
struct ResizeAndPadImage: Node {
    static let info = NodeInfo("ResizeAndPadImage", category: "image/transform")

    @Input var image: Image
    @Input(.range(1...16384), .step(1)) var targetWidth = 512
    @Input(.range(1...16384), .step(1)) var targetHeight = 512
    @Input(.choices(["white", "black"])) var paddingColor: String
    @Input(.choices(["area", "bicubic", "nearest-exact", "bilinear", "lanczos"])) var interpolation: String
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        scaled = Image(
            try resizeAndPad(
                image.tensor, width: targetWidth, height: targetHeight, filling: paddingColor == "white" ? 1 : 0,
                method: try choice(interpolation, "interpolation")))
    }
}

extension Image {
    /// - Throws: ``NodeError`` for an unknown method, `ImageError` for an impossible size.
    fileprivate func resized(
        to size: (width: Int, height: Int), method: String, crop: ResizeCrop = .disabled
    ) throws -> Image {
        Image(
            try resizeImage(
                tensor, width: size.width, height: size.height, method: try choice(method, "upscale_method"),
                crop: crop))
    }
}
