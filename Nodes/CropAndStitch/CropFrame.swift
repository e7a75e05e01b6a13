import Images
import NodeKit
import PackTools
import Tensors

/// One picture with its masks, all of one size.
struct CropFrame: Sendable {
    /// `[1, height, width, channels]`.
    var image: Tensor
    /// `[1, height, width]`.
    var mask: Tensor
    /// `[1, height, width]`: what has to be in the cut beside the mask.
    var contextMask: Tensor

    var size: PictureSize { PictureSize(width: image.shape[2], height: image.shape[1]) }

    /// The frames of a batch; what is single serves all.
    ///
    /// - Throws: ``NodeError`` for sizes and numbers that do not fit.
    static func frames(_ image: Image, _ mask: Mask?, _ contextMask: Mask?) throws -> [CropFrame] {
        let size = try image.size()
        let masks = try planes(mask, "mask", size)
        let contexts = try planes(contextMask, "optional_context_mask", size)
        let count = max(image.batch, masks.shape[0], contexts.shape[0])
        let all = [image.tensor, masks, contexts]
        for (name, tensor) in zip(["image", "mask", "optional_context_mask"], all) where tensor.shape[0] != count {
            guard tensor.shape[0] == 1 else {
                throw NodeError(
                    "input \"\(name)\" has \(tensor.shape[0]) items where others have \(count); give one, or as many")
            }
        }
        func item(_ tensor: Tensor, _ index: Int) throws -> Tensor {
            let index = tensor.shape[0] == 1 ? 0 : index
            return try tensor.slice(axis: 0, index..<index + 1).asFloat32()
        }
        return try (0..<count).map {
            CropFrame(image: try item(image.tensor, $0), mask: try item(masks, $0), contextMask: try item(contexts, $0))
        }
    }

    private static func planes(_ mask: Mask?, _ name: String, _ size: PictureSize) throws -> Tensor {
        let empty = { try Tensor.zeros([1, size.height, size.width]) }
        guard let mask else { return try empty() }
        if try mask.size() == size { return try mask.tensor.asSingleChannelPictures().asMask() }
        // LoadImage makes an empty mask of 64×64 for pictures without one.
        if try HostMath.isZero(mask.tensor) { return try empty() }
        let found = try mask.size()
        throw NodeError(
            "input \"\(name)\": a mask of \(found.width)×\(found.height) pixels does not fit pictures of "
                + "\(size.width)×\(size.height); resize one of them")
    }

    /// With a border: edge pixels repeated, the mask set, the context mask empty there. Negative borders cut off.
    func extended(left: Int, right: Int, top: Int, bottom: Int) throws -> CropFrame {
        if left == 0 && right == 0 && top == 0 && bottom == 0 { return self }
        let repeated = (
            rows: try Remapping.padded(size.height, before: top, after: bottom, repeatsEdge: true),
            columns: try Remapping.padded(size.width, before: left, after: right, repeatsEdge: true)
        )
        let rows = try Remapping.padded(size.height, before: top, after: bottom)
        let columns = try Remapping.padded(size.width, before: left, after: right)
        return CropFrame(
            image: try Remapping.apply(image, rows: repeated.rows, columns: repeated.columns),
            mask: try Remapping.apply(
                mask.asSingleChannelPictures(), rows: rows, columns: columns, fill: [1]
            ).asMask(),
            contextMask: try Remapping.apply(
                contextMask.asSingleChannelPictures(), rows: rows, columns: columns, fill: [0]
            ).asMask())
    }

    /// The frame with as much border as a box needs that leaves it, the box and the frame's own place in that canvas.
    func canvas(holding box: Box) throws -> (canvas: CropFrame, box: Box, original: Box) {
        let (left, top) = (max(-box.x, 0), max(-box.y, 0))
        let canvas = try extended(
            left: left, right: max(box.right - size.width, 0), top: top, bottom: max(box.bottom - size.height, 0))
        return (
            canvas, Box(x: box.x + left, y: box.y + top, width: box.width, height: box.height),
            Box(x: left, y: top, width: size.width, height: size.height)
        )
    }
}
