import NodeKit

/// Puts painted pictures back where InpaintCropImproved cut them out (pack-nodes.md §7).
struct InpaintStitchImproved: Node {
    static let info = NodeInfo(
        "InpaintStitchImproved", displayName: "✂️ Inpaint Stitch (Improved)", category: "inpaint")

    @Input var stitcher: Stitcher
    @Input var inpaintedImage: Image
    @Output("image") var result: Image

    func run(_ context: NodeContext) async throws {
        let algorithms = stitcher.algorithms
        result = try stitcher.entries.stitched(inpaintedImage, context) {
            CropResizing(algorithms, from: $0, to: $1)
        }
    }
}
