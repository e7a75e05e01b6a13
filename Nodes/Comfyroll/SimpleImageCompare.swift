import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Two pictures side by side in a frame (pack-nodes.md §4). The texts under them are not drawn: there are no fonts here;
/// their places stay empty, and a warning says so.
struct CRSimpleImageCompare: Node {
    static let info = NodeInfo(
        "CR Simple Image Compare", displayName: "📱 CR Simple Image Compare",
        category: "🧩 Comfyroll Studio/👾 Graphics/📱 Template")

    @Input(.multiline) var text1 = "text"
    @Input(.multiline) var text2 = "text"
    @Input(.range(0...1024)) var footerHeight = 100
    // The combo lists the fonts that came with the pack; none of them matters here.
    @Input(.type("STRING")) var fontName = "Roboto-Regular.ttf"
    @Input(.range(0...1024)) var fontSize = 50
    @Input(.choices(["normal", "dark"])) var mode: String
    @Input(.range(0...1024)) var borderThickness = 20
    @Input var image1: Image?
    @Input var image2: Image?
    @Output("image") var result: Image
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        try requireInRange(footerHeight, "footer_height", 0...65536)
        try requireInRange(borderThickness, "border_thickness", 0...65536)
        let background: [Float] = mode == "dark" ? [0, 0, 0] : [1, 1, 1]
        let half = borderThickness / 2
        help = helpText
        guard let first = image1, let second = image2 else {
            let plain = try emptyImage(width: 512, height: 512, colour: mode == "dark" ? 0 : 0xFF_FF_FF)
            result = Image(try bordered(plain, [half, half, half, half], background))
            return
        }
        if footerHeight > 0 && !(text1 + text2).isEmpty {
            context.warn("the texts under the pictures are not drawn; graphrun has no fonts")
        }
        let size = try first.size()
        _ = try second.size()
        var panels: [Tensor] = []
        for picture in [first, second] {
            let bytes = try ByteImage(truncating: picture.tensor.slice(axis: 3, 0..<min(3, picture.tensor.shape[3])))
            let fitted = try bytes.resized(width: size.width, height: size.height, .lanczos)
            panels.append(
                try bordered(
                    bordered(fitted.floatTensor(), [0, 0, 0, footerHeight], background), [half, half, half, half],
                    background))
        }
        let both = try HostMath.concatenate(panels, axis: 2)
        result = Image(try bordered(both, [half, half, half, half], background))
    }

    /// A border of that many pixels left, top, right and below.
    private func bordered(_ image: Tensor, _ sides: [Int], _ colour: [Float]) throws -> Tensor {
        try Remapping.apply(
            image, rows: Remapping.padded(image.shape[1], before: sides[1], after: sides[3]),
            columns: Remapping.padded(image.shape[2], before: sides[0], after: sides[2]), fill: colour)
    }
}
