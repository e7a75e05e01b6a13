import Images
import JSON
import NodeKit

/// Shows masks: writes them as grey pictures into the temporary folder.
struct MaskPreview: Node {
    static let info = NodeInfo("MaskPreview", category: "mask", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var mask: Mask

    func run(_ context: NodeContext) async throws {
        let prefix = PictureWriter.previewPrefix("mask", context)
        let files = try PictureWriter(.temporary, context).write(Image(try maskToImage(mask.tensor)), prefix: prefix)
        context.show(["images": .array(files)])
    }
}
