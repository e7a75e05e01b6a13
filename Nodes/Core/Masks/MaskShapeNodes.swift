import Images
import JSON
import NodeKit

/// The part of a mask within a rectangle.
struct CropMask: Node {
    static let info = NodeInfo("CropMask", category: "mask")

    @Input var mask: Mask
    @Input(.range(0...16384), .step(1)) var x = 0
    @Input(.range(0...16384), .step(1)) var y = 0
    @Input(.range(1...16384), .step(1)) var width = 512
    @Input(.range(1...16384), .step(1)) var height = 512
    @Output var cropped: Mask

    func run(_ context: NodeContext) async throws {
        cropped = Mask(try cropMask(mask.tensor, left: x, top: y, width: width, height: height))
    }
}

/// A mask that fades out towards its sides (families-unet-sampling.md §19).
struct FeatherMask: Node {
    static let info = NodeInfo("FeatherMask", category: "mask")

    @Input var mask: Mask
    @Input(.range(0...16384), .step(1)) var left = 0
    @Input(.range(0...16384), .step(1)) var top = 0
    @Input(.range(0...16384), .step(1)) var right = 0
    @Input(.range(0...16384), .step(1)) var bottom = 0
    @Output var feathered: Mask

    func run(_ context: NodeContext) async throws {
        feathered = Mask(try featherMask(mask.tensor, left: left, top: top, right: right, bottom: bottom))
    }
}

/// A mask of one value.
struct SolidMask: Node {
    static let info = NodeInfo("SolidMask", category: "mask")

    @Input(.range(0.0...1.0), .step(0.01)) var value = 1.0
    @Input(.range(1...16384), .step(1)) var width = 512
    @Input(.range(1...16384), .step(1)) var height = 512
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        mask = Mask(try solidMask(Float(value), width: width, height: height))
    }
}

/// 1 where the picture has exactly a colour, 0xRRGGBB.
struct ImageColorToMask: Node {
    static let info = NodeInfo("ImageColorToMask", category: "mask")

    @Input var image: Image
    @Input(.range(0...16777215), .step(1), .option("display", .string("color"))) var color = 0
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        mask = Mask(try colourToMask(image.tensor, colour: color))
    }
}
