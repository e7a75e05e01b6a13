import NodeKit
import PackTools

/// Which part of a picture is cut out (pack-nodes.md §7, steps 8 and 9).
enum ContextBox {
    /// A box grown on each side by a share of its size and a number of pixels, within the picture.
    static func extended(_ box: Box, factor: Double, pixels: Int = 0, in picture: PictureSize) -> Box {
        let share = factor >= 1.01 ? (factor - 1) / 2 : 0
        let dx = (Double(box.width) * share).roundedInt + pixels
        let dy = (Double(box.height) * share).roundedInt + pixels
        let left = max(box.x - dx, 0)
        let top = max(box.y - dy, 0)
        return Box(
            x: left, y: top, width: min(box.right + dx, picture.width) - left,
            height: min(box.bottom + dy, picture.height) - top)
    }

    /// Raised to a multiple; 0 and 1 leave it.
    static func raised(_ side: Int, toMultipleOf step: Int) -> Int {
        step <= 1 || side % step == 0 ? side : (side / step + 1) * step
    }

    /// A box grown to the aspect ratio of a target, centred, and moved into the picture where it fits.
    ///
    /// - Parameter atLeastTarget: whether the box also gets at least the target's size.
    /// - Returns: a box that leaves the picture where it is larger than the picture.
    static func grown(_ box: Box, to target: PictureSize, atLeastTarget: Bool, in picture: PictureSize) -> Box {
        let aspect = Double(target.width) / Double(target.height)
        var size = PictureSize(width: box.width, height: box.height)
        if Double(box.width) / Double(box.height) < aspect {
            size.width = max((Double(box.height) * aspect).truncatedInt, box.width)
        } else {
            size.height = max((Double(box.width) / aspect).truncatedInt, box.height)
        }
        if atLeastTarget {
            size.width = max(size.width, target.width)
            size.height = max(size.height, target.height)
        }
        return Box(
            x: start(box.x, box.width, size.width, picture.width),
            y: start(box.y, box.height, size.height, picture.height), width: size.width, height: size.height)
    }

    private static func start(_ old: Int, _ length: Int, _ new: Int, _ side: Int) -> Int {
        if new > side { return -((new - side) / 2) }
        let centred = old - (new - length) / 2
        return min(max(centred, 0), side - new)
    }
}
