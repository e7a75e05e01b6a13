import Images
import NodeKit
import PackTools
import Tensors

/// STITCH: what ``InpaintStitch`` needs to put back what ``InpaintCrop`` cut out.
struct Stitch: NodeValue {
    static let socketType = "STITCH"
    var entries: [Stitcher.Entry]

    var exportedTensors: [(suffix: String, tensor: Tensor)] { Stitcher.exported(entries) }
}

/// How a picture and the mask that goes with it get another size.
struct CropResizing: Sendable {
    var picture: @Sendable (Tensor, PictureSize) throws -> Tensor
    var mask: @Sendable (Tensor, PictureSize) throws -> Tensor

    /// In floating point, as core nodes resize.
    init(_ method: ResizeMethod) {
        picture = { try resizeImage($0, width: $1.width, height: $1.height, method: method) }
        // Bislerp keeps the length of a pixel's channels, of which a mask has one.
        let plain = method == .bislerp ? ResizeMethod.bilinear : method
        mask = { try resizeMask($0, width: $1.width, height: $1.height, method: plain) }
    }

    /// Pillow on bytes; the filter depends on whether the size grows.
    init(_ algorithms: CropAlgorithms, from old: PictureSize, to new: PictureSize) {
        let filter = algorithms.filter(from: old, to: new)
        picture = { try pillowResized($0, to: $1, filter) }
        mask = { try pillowResizedMask($0, to: $1, filter) }
    }
}

extension [Stitcher.Entry] {
    /// Puts painted pictures `[batch, height, width, channels]` back where they were cut out.
    ///
    /// - Parameter resizing: how a picture of one size gets that of its box.
    /// - Throws: ``NodeError`` when their numbers do not fit.
    func stitched(
        _ painted: Image, _ context: NodeContext,
        resizing: (_ from: PictureSize, _ to: PictureSize) throws -> CropResizing
    ) throws -> Image {
        let size = try painted.size()
        guard count == 1 || count == painted.batch else {
            throw NodeError(
                "\(count) pictures were cut, but \(painted.batch) come back; they must be as many, or one cut")
        }
        let results = try (0..<painted.batch).map { index in
            try context.checkCancellation()
            let entry = self[count == 1 ? 0 : index]
            let box = PictureSize(width: entry.box.width, height: entry.box.height)
            return try entry.mixed(
                painted.tensor.slice(axis: 0, index..<index + 1).asFloat32(), box, resizing(size, box))
        }
        return Image(try HostMath.concatenate(results, axis: 0))
    }
}

extension Stitcher.Entry {
    /// The picture with a painted one mixed into the box.
    fileprivate func mixed(_ picture: Tensor, _ size: PictureSize, _ resizing: CropResizing) throws -> Tensor {
        let resized = try PictureBatch.withChannels(resizing.picture(picture, size), canvas.shape[3])
        let mask = try HostMath.map(resizing.mask(blendMask, size)) { min(max($0, 0), 1) }
        let mixed = try compositeImages(canvas, resized, x: box.x, y: box.y, mask: mask, resizeSource: false)
        return try original.cut(mixed)
    }
}
