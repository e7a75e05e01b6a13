import Images
import JSON
import NodeKit
import Sampling
import Tensors

/// 1 − picture.
struct ImageInvert: Node {
    static let info = NodeInfo("ImageInvert", displayName: "Invert Image", category: "image")

    @Input var image: Image
    @Output var inverted: Image

    func run(_ context: NodeContext) async throws {
        inverted = Image(try invertImage(image.tensor))
    }
}

/// Two pictures mixed by a blend mode (families-unet-sampling.md §19).
struct ImageBlend: Node {
    static let info = NodeInfo("ImageBlend", category: "image/postprocessing", style: .v3)

    @Input var image1: Image
    @Input var image2: Image
    @Input(.range(0.0...1.0), .step(0.01)) var blendFactor = 0.5
    @Input(.choices(["normal", "multiply", "screen", "overlay", "soft_light", "difference"])) var blendMode: String
    @Output var blended: Image

    func run(_ context: NodeContext) async throws {
        blended = Image(
            try blendImages(image1.tensor, image2.tensor, factor: blendFactor, try choice(blendMode, "blend_mode")))
    }
}

/// A picture with few colours, chosen as Pillow does.
struct ImageQuantize: Node {
    static let info = NodeInfo("ImageQuantize", category: "image/postprocessing", style: .v3)

    @Input var image: Image
    @Input(.range(1...256), .step(1)) var colors = 256
    @Input(.choices(["none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"])) var dither: String
    @Output var quantized: Image

    func run(_ context: NodeContext) async throws {
        quantized = Image(try quantizeImage(image.tensor, colours: colors, try choice(dither, "dither")))
    }
}

/// Luminance and chrominance of a picture, as three grey pictures.
struct ImageRGBToYUV: Node {
    static let info = NodeInfo("ImageRGBToYUV", category: "image/batch", style: .v3)

    @Input var image: Image
    @Output("Y") var y: Image
    @Output("U") var u: Image
    @Output("V") var v: Image

    func run(_ context: NodeContext) async throws {
        let planes = try rgbToYUV(image.tensor)
        (y, u, v) = (Image(planes.y), Image(planes.u), Image(planes.v))
    }
}

/// The picture of luminance and chrominance.
struct ImageYUVToRGB: Node {
    static let info = NodeInfo("ImageYUVToRGB", category: "image/batch", style: .v3)

    @Input(.named("Y")) var y: Image
    @Input(.named("U")) var u: Image
    @Input(.named("V")) var v: Image
    @Output var image: Image

    func run(_ context: NodeContext) async throws {
        image = Image(try yuvToRGB(y: y.tensor, u: u.tensor, v: v.tensor))
    }
}

/// A picture with normal noise of a seed, clamped to 0…1.
struct ImageAddNoise: Node {
    static let info = NodeInfo("ImageAddNoise", category: "image")

    @Input var image: Image
    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var seed: UInt64 = 0
    @Input(.range(0.0...1.0), .step(0.01)) var strength = 0.5
    @Output var noisy: Image

    func run(_ context: NodeContext) async throws {
        var generator = TorchGenerator(seed: seed)
        let amount = Float(strength)
        noisy = Image(
            try HostMath.zip(image.tensor, generator.normal(image.tensor.shape)) { min(max($0 + amount * $1, 0), 1) })
    }
}
