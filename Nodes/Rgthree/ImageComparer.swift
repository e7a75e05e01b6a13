import CoreNodes
import JSON
import NodeKit
import Tensors

/// Shows two pictures to compare (pack-nodes.md §1).
struct ImageComparer: Node {
    static let info = NodeInfo(
        "Image Comparer (rgthree)", category: "rgthree", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var imageA: Image?
    @Input var imageB: Image?

    func run(_ context: NodeContext) async throws {
        let writer = PictureWriter(.temporary, context)
        let prefix = PictureWriter.previewPrefix("rgthree.compare", context)
        var shown = JSONObject()
        for (name, images) in [("a_images", imageA), ("b_images", imageB)] {
            let files = try images.map { $0.tensor.count == 0 ? [] : try writer.write($0, prefix: prefix) }
            shown[name] = .array(files ?? [])
        }
        context.show(shown)
    }
}
