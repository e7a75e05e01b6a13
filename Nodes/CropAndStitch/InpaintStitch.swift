import CoreNodes
import Images
import NodeKit

/// Puts painted pictures back where ``InpaintCrop`` cut them out.
struct InpaintStitch: Node {
    static let info = NodeInfo(
        "InpaintStitch", displayName: "(OLD 💀, use the new ✂️ Inpaint Stitch node)", category: "inpaint")

    @Input var stitch: Stitch
    @Input var inpaintedImage: Image
    @Input(.choices(InpaintCrop.methods)) var rescaleAlgorithm = "bislerp"
    @Output("image") var result: Image

    func run(_ context: NodeContext) async throws {
        let method: ResizeMethod = try choice(rescaleAlgorithm, "rescale_algorithm")
        result = try stitch.entries.stitched(inpaintedImage, context) { _, _ in CropResizing(method) }
    }
}
