import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Width, height and number of pictures (pack-nodes.md §9).
struct EssentialsGetImageSize: Node {
    static let info = NodeInfo(
        "GetImageSize+", displayName: "🔧 Get Image Size", category: "essentials/image utils")

    @Input var image: Image
    @Output("width") var width: Int
    @Output("height") var height: Int
    @Output("count") var count: Int

    func run(_ context: NodeContext) async throws {
        let size = try image.size()
        (width, height, count) = (size.width, size.height, image.batch)
    }
}

/// A rectangle of a picture (pack-nodes.md §9).
struct EssentialsImageCrop: Node {
    static let info = NodeInfo("ImageCrop+", displayName: "🔧 Image Crop", category: "essentials/image manipulation")
    private static let positions = [
        "top-left", "top-center", "top-right", "right-center", "bottom-right", "bottom-center", "bottom-left",
        "left-center", "center",
    ]

    @Input var image: Image
    @Input(.range(0...16384), .step(8)) var width = 256
    @Input(.range(0...16384), .step(8)) var height = 256
    @Input(.choices(positions)) var position: String
    @Input(.range(-16384...16384)) var xOffset = 0
    @Input(.range(-16384...16384)) var yOffset = 0
    @Output("IMAGE") var result: Image
    @Output("x") var x: Int
    @Output("y") var y: Int

    func run(_ context: NodeContext) async throws {
        let source = try image.size()
        try requireInRange(width, "width", 1...1 << 20)
        try requireInRange(height, "height", 1...1 << 20)
        try requireInRange(xOffset, "x_offset", -(1 << 20)...1 << 20)
        try requireInRange(yOffset, "y_offset", -(1 << 20)...1 << 20)
        guard Self.positions.contains(position) else {
            throw NodeError(
                "input \"position\": \"\(position.prefix(50))\" is unknown; use one of: "
                    + Self.positions.joined(separator: ", "))
        }
        let size = PictureSize(width: min(width, source.width), height: min(height, source.height))
        // "top-center" has its column in the middle, "left-center" its row.
        let columnIsFree = !position.contains("left") && !position.contains("right")
        let rowIsFree = !position.contains("top") && !position.contains("bottom")
        var start = (x: 0, y: 0)
        if position.contains("right") { start.x = source.width - size.width }
        if position.contains("bottom") { start.y = source.height - size.height }
        if columnIsFree { start.x = (Double(source.width - size.width) / 2).roundedInt }
        if rowIsFree { start.y = (Double(source.height - size.height) / 2).roundedInt }
        start = (start.x + xOffset, start.y + yOffset)
        let end = (x: min(start.x + size.width, source.width), y: min(start.y + size.height, source.height))
        start = (max(start.x, 0), max(start.y, 0))
        guard start.x < end.x, start.y < end.y else {
            throw NodeError(
                "the offsets \(xOffset), \(yOffset) move the rectangle out of the picture of "
                    + "\(source.width)×\(source.height) pixels")
        }
        result = Image(
            try cropImage(
                image.tensor, left: start.x, top: start.y, width: end.x - start.x, height: end.y - start.y
            ).asFloat32())
        (x, y) = (start.x, start.y)
    }
}
