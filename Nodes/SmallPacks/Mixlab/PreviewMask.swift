import CoreNodes
import Images
import JSON
public import NodeKit

/// Nodes of comfyui-mixlab-nodes that need no model.
public let mixlabPack = NodePack("comfyui-mixlab-nodes", nodes: [MixlabPreviewMask.self])

/// Shows masks.
struct MixlabPreviewMask: Node {
    static let info = NodeInfo(
        "PreviewMask_", displayName: "Preview Mask", category: "♾️Mixlab/Mask", isOutput: true,
        hidden: [.prompt, .extraPNGInfo])

    @Input var mask: Mask

    func run(_ context: NodeContext) async throws {
        let picture = Image(try maskToImage(mask.tensor))
        let prefix = PictureWriter.previewPrefix("mixlab_mask", context)
        context.show(["images": .array(try PictureWriter(.temporary, context).write(picture, prefix: prefix))])
    }
}
