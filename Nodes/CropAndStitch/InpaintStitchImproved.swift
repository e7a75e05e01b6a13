import Images
import NodeKit
import PackTools
import Tensors

/// Puts painted pictures back where InpaintCropImproved cut them out (pack-nodes.md §7).
struct InpaintStitchImproved: Node {
    static let info = NodeInfo(
        "InpaintStitchImproved", displayName: "✂️ Inpaint Stitch (Improved)", category: "inpaint")

    @Input var stitcher: Stitcher
    @Input var inpaintedImage: Image
    @Output("image") var result: Image

    func run(_ context: NodeContext) async throws {
        _ = try inpaintedImage.size()
        let count = inpaintedImage.batch
        guard stitcher.entries.count == 1 || stitcher.entries.count == count else {
            throw NodeError(
                "\(stitcher.entries.count) pictures were cut, but \(count) come back; they must be as many, or one cut")
        }
        var results: [Tensor] = []
        for index in 0..<count {
            try context.checkCancellation()
            let entry = stitcher.entries[stitcher.entries.count == 1 ? 0 : index]
            results.append(try put(inpaintedImage.tensor.slice(axis: 0, index..<index + 1).asFloat32(), into: entry))
        }
        result = Image(try HostMath.concatenate(results, axis: 0))
    }

    private func put(_ picture: Tensor, into entry: Stitcher.Entry) throws -> Tensor {
        let size = PictureSize(width: entry.box.width, height: entry.box.height)
        let filter = stitcher.algorithms.filter(
            from: PictureSize(width: picture.shape[2], height: picture.shape[1]), to: size)
        let resized = try PictureBatch.withChannels(pillowResized(picture, to: size, filter), entry.canvas.shape[3])
        let mask = try HostMath.map(pillowResizedMask(entry.blendMask, to: size, filter)) { min(max($0, 0), 1) }
        let mixed = try compositeImages(
            entry.canvas, resized, x: entry.box.x, y: entry.box.y, mask: mask, resizeSource: false)
        return try entry.original.cut(mixed)
    }
}
