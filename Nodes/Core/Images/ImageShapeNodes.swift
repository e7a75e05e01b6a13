import Images
import JSON
import NodeKit

/// The part of a picture within a rectangle, whose corner is moved inside.
struct ImageCrop: Node {
    static let info = NodeInfo("ImageCrop", displayName: "Image Crop", category: "image/transform")

    @Input var image: Image
    @Input(.range(1...16384), .step(1)) var width = 512
    @Input(.range(1...16384), .step(1)) var height = 512
    @Input(.range(0...16384), .step(1)) var x = 0
    @Input(.range(0...16384), .step(1)) var y = 0
    @Output var cropped: Image

    func run(_ context: NodeContext) async throws {
        cropped = Image(try cropImage(image.tensor, left: x, top: y, width: width, height: height))
    }
}

/// A picture upside down or mirrored.
struct ImageFlip: Node {
    static let info = NodeInfo("ImageFlip", category: "image/transform")

    @Input var image: Image
    @Input(.choices(["x-axis: vertically", "y-axis: horizontally"])) var flipMethod: String
    @Output var flipped: Image

    func run(_ context: NodeContext) async throws {
        flipped = Image(try flipAxis(image.tensor, flipMethod.hasPrefix("x") ? 1 : 2))
    }
}

/// A picture turned clockwise.
struct ImageRotate: Node {
    static let info = NodeInfo("ImageRotate", category: "image/transform")

    @Input var image: Image
    @Input(.choices(["none", "90 degrees", "180 degrees", "270 degrees"])) var rotation: String
    @Output var rotated: Image

    func run(_ context: NodeContext) async throws {
        rotated = Image(
            try rotateClockwise(image.tensor, quarterTurns: QuarterTurns.count(rotation), rowAxis: 1))
    }
}

/// Two pictures side by side, or one above the other.
struct ImageStitch: Node {
    static let info = NodeInfo("ImageStitch", displayName: "Image Stitch", category: "image/transform")

    @Input var image1: Image
    @Input(.choices(["right", "down", "left", "up"])) var direction = "right"
    @Input var matchImageSize = true
    @Input(.range(0...1024), .step(2)) var spacingWidth = 0
    @Input(.choices(["white", "black", "red", "green", "blue"])) var spacingColor = "white"
    @Input var image2: Image?
    @Output var stitched: Image

    func run(_ context: NodeContext) async throws {
        guard let image2 else {
            stitched = image1
            return
        }
        var stitching = ImageStitching()
        stitching.side = try choice(direction, "direction")
        stitching.matchesSize = matchImageSize
        stitching.spacing = spacingWidth
        stitching.colour = try choice(spacingColor, "spacing_color")
        stitched = Image(try stitching.stitch(image1.tensor, image2.tensor))
    }
}

/// Size and number of pictures.
struct GetImageSize: Node {
    static let info = NodeInfo("GetImageSize", displayName: "Get Image Size", category: "image", hidden: [.uniqueID])

    @Input var image: Image
    @Output("width") var width: Int
    @Output("height") var height: Int
    @Output("batch_size") var batchSize: Int

    func run(_ context: NodeContext) async throws {
        (width, height, batchSize) = (image.width, image.height, image.batch)
    }
}

/// Pictures of one colour, 0xRRGGBB.
struct EmptyImage: Node {
    static let info = NodeInfo("EmptyImage", category: "image")

    @Input(.range(1...16384), .step(1)) var width = 512
    @Input(.range(1...16384), .step(1)) var height = 512
    @Input(.range(1...4096)) var batchSize = 1
    @Input(.range(0...16777215), .step(1), .option("display", .string("color"))) var color = 0
    @Output var image: Image

    func run(_ context: NodeContext) async throws {
        image = Image(try emptyImage(width: width, height: height, count: batchSize, colour: color))
    }
}
