import Images
import NodeKit

/// A picture in another size (families-unet-sampling.md §18).
struct ImageScale: Node {
    static let info = NodeInfo("ImageScale", displayName: "Upscale Image", category: "image/upscaling")

    @Input var image: Image
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])) var upscaleMethod: String
    @Input(.range(0...16384), .step(1)) var width = 512
    @Input(.range(0...16384), .step(1)) var height = 512
    @Input(.choices(["disabled", "center"])) var crop: String
    @Output var scaled: Image

    func run(_ context: NodeContext) async throws {
        let size = TargetSize.image(width: width, height: height, ofWidth: image.width, height: image.height)
        try requireInRange(size.width, "width", 1...1_048_576)
        try requireInRange(size.height, "height", 1...1_048_576)
        scaled = Image(
            try resizeImage(
                image.tensor, width: size.width, height: size.height,
                method: try choice(upscaleMethod, "upscale_method"),
                crop: try choice(crop, "crop")))
    }
}

/// One picture on another, through a mask (families-unet-sampling.md §19).
struct ImageCompositeMasked: Node {
    static let info = NodeInfo("ImageCompositeMasked", category: "image")

    @Input var destination: Image
    @Input var source: Image
    @Input(.range(0...16384), .step(1)) var x = 0
    @Input(.range(0...16384), .step(1)) var y = 0
    @Input var resizeSource = false
    @Input var mask: Mask?
    @Output var composite: Image

    func run(_ context: NodeContext) async throws {
        composite = Image(
            try compositeImages(
                destination.tensor, source.tensor, x: x, y: y, mask: mask?.tensor, resizeSource: resizeSource))
    }
}

/// A border to be painted, and the mask of it (families-unet-sampling.md §19).
struct ImagePadForOutpaint: Node {
    static let info = NodeInfo("ImagePadForOutpaint", displayName: "Pad Image for Outpainting", category: "image")

    @Input var image: Image
    @Input(.range(0...16384), .step(8)) var left = 0
    @Input(.range(0...16384), .step(8)) var top = 0
    @Input(.range(0...16384), .step(8)) var right = 0
    @Input(.range(0...16384), .step(8)) var bottom = 0
    @Input(.range(0...16384), .step(1)) var feathering = 40
    @Output var padded: Image
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        let result = try padForOutpaint(
            image.tensor, left: left, top: top, right: right, bottom: bottom, feathering: feathering)
        padded = Image(result.image)
        mask = Mask(result.mask)
    }
}
