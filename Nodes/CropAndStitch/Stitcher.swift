import Images
import NodeKit
import PackTools
import Tensors

/// A rectangle of a picture.
struct Box: Sendable, Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    var right: Int { x + width }
    var bottom: Int { y + height }

    /// The smallest box around both.
    func union(_ other: Box) -> Box {
        let (left, top) = (min(x, other.x), min(y, other.y))
        return Box(
            x: left, y: top, width: max(right, other.right) - left, height: max(bottom, other.bottom) - top)
    }

    /// The box around what is above 0 in a mask `[1, height, width]`; `nil` where nothing is.
    static func around(_ mask: Tensor) throws -> Box? {
        let (height, width) = (mask.shape[1], mask.shape[2])
        return try mask.asFloat32().withElements(of: Float.self) { values in
            var (left, right, top, bottom) = (width, -1, height, -1)
            for y in 0..<height {
                for x in 0..<width where values[y * width + x] > 0 {
                    (left, right) = (min(left, x), max(right, x))
                    (top, bottom) = (min(top, y), max(bottom, y))
                }
            }
            return right < 0 ? nil : Box(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
        }
    }

    /// The part of pictures `[batch, height, width, channels]` in the box.
    func cut(_ image: Tensor) throws -> Tensor {
        try image.slice(axis: 1, y..<bottom).slice(axis: 2, x..<right).asFloat32()
    }
}

/// How pictures and masks are resized on the way: Pillow on bytes.
struct CropAlgorithms: Sendable {
    var downscale: PillowFilter
    var upscale: PillowFilter

    /// The filter for a change of size: the upscaling one as soon as one side grows.
    func filter(from old: PictureSize, to new: PictureSize) -> PillowFilter {
        new.width > old.width || new.height > old.height ? upscale : downscale
    }
}

/// One picture `[1, height, width, channels]` in another size, through bytes.
func pillowResized(_ image: Tensor, to size: PictureSize, _ filter: PillowFilter) throws -> Tensor {
    try ByteImage(truncating: image).resized(width: size.width, height: size.height, filter).floatTensor()
}

/// One mask `[1, height, width]` in another size, through bytes.
func pillowResizedMask(_ mask: Tensor, to size: PictureSize, _ filter: PillowFilter) throws -> Tensor {
    try ByteImage(truncatingMask: mask).resized(width: size.width, height: size.height, filter).floatMask()
}

/// STITCHER: what is needed to put cut-out pictures back (pack-nodes.md §7).
struct Stitcher: NodeValue {
    static let socketType = "STITCHER"

    /// One picture that was cut.
    struct Entry: Sendable {
        /// `[1, height, width, channels]`: the picture with what was added around it.
        var canvas: Tensor
        /// What was cut out of the canvas.
        var box: Box
        /// Where the picture itself lies in the canvas.
        var original: Box
        /// `[1, height, width]`, in the size of the cut-out picture.
        var blendMask: Tensor
    }
    var entries: [Entry]
    var algorithms: CropAlgorithms

    var exportedTensors: [(suffix: String, tensor: Tensor)] { Self.exported(entries) }

    static func exported(_ entries: [Entry]) -> [(suffix: String, tensor: Tensor)] {
        entries.enumerated().flatMap { index, entry in
            [(".\(index).canvas", entry.canvas), (".\(index).blend_mask", entry.blendMask)]
        }
    }
}
