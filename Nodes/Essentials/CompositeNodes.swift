import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// A mask brought to a picture's size: bicubic, cut around the middle.
private func fitted(_ mask: Mask, to size: PictureSize) throws -> Tensor {
    let own = try mask.size()
    if own == size { return mask.tensor }
    let resized = try resizeMask(
        mask.tensor, width: size.width, height: size.height, method: .bicubic, crop: .center)
    return try HostMath.map(resized) { min(max($0, 0), 1) }
}

/// One picture on another, through a mask (pack-nodes.md §9).
struct EssentialsImageComposite: Node {
    static let info = NodeInfo(
        "ImageComposite+", displayName: "🔧 Image Composite", category: "essentials/image manipulation")

    @Input var destination: Image
    @Input var source: Image
    @Input(.range(-16384...16384)) var x = 0
    @Input(.range(-16384...16384)) var y = 0
    @Input(.range(-16384...16384)) var offsetX = 0
    @Input(.range(-16384...16384)) var offsetY = 0
    @Input var mask: Mask?
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        for (name, value) in [("x", x), ("y", y), ("offset_x", offsetX), ("offset_y", offsetY)] {
            try requireInRange(value, name, -(1 << 20)...1 << 20)
        }
        let size = try source.size()
        _ = try destination.size()
        result = Image(
            try compositeImages(
                destination.tensor, source.tensor, x: x + offsetX, y: y + offsetY,
                mask: mask.map { try fitted($0, to: size) }, resizeSource: false))
    }
}

/// One picture over another, once for every mask of a batch (pack-nodes.md §9).
struct EssentialsImageCompositeFromMaskBatch: Node {
    static let info = NodeInfo(
        "ImageCompositeFromMaskBatch+", displayName: "🔧 Image Composite From Mask Batch",
        category: "essentials/image manipulation")

    @Input var imageFrom: Image
    @Input var imageTo: Image
    @Input var mask: Mask
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        let size = try imageFrom.size()
        var above = try imageTo.tensor.asFloat32()
        if try imageTo.size() != size {
            above = try resizeImage(above, width: size.width, height: size.height, method: .bicubic, crop: .center)
        }
        let weights = try fitted(mask, to: size).asSingleChannelPictures()
        let count = weights.shape[0]
        // The mask decides the number of pictures.
        let below = try HostMath.cycleBatch(imageFrom.tensor, to: count)
        result = Image(
            try compositeImages(
                below, HostMath.cycleBatch(above, to: count), x: 0, y: 0, mask: weights.asMask(), resizeSource: false))
    }
}
