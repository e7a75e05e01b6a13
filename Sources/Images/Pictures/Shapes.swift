internal import Tensors

/// A mask as contiguous float32 `[batch, height, width]`; a single plane and `[batch, channels, height, width]` are
/// accepted too, since nodes exchange all three.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or an empty mask.
func maskPlanes(_ mask: Tensor) throws -> Tensor {
    guard (2...4).contains(mask.shape.rank), mask.count > 0 else {
        throw ImageError(.invalidArgument, "a mask has the shape [batch, height, width], found \(mask.shape)")
    }
    let sides = Array(mask.shape.array.suffix(2))
    return try mask.asFloat32().reshaped([mask.count / (sides[0] * sides[1]), sides[0], sides[1]])
}

/// A picture as contiguous float32 `[batch, height, width, channels]`.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or an empty picture.
func imagePixels(_ image: Tensor) throws -> Tensor {
    guard image.shape.rank == 4, image.count > 0 else {
        throw ImageError(
            .invalidArgument, "a picture has the shape [batch, height, width, channels], found \(image.shape)")
    }
    return try image.asFloat32()
}

/// Whether a tensor of that many planes may be made: sides from 1 to 2²⁰, at most 2³⁶ elements in all. Node inputs can
/// ask for more; products up to here cannot overflow, and tables along a side stay small.
func isReasonable(width: Int, height: Int, planes: Int = 1) -> Bool {
    guard (1...1 << 20).contains(width), (1...1 << 20).contains(height),
        let count = Shape.checkedCount([width, height, planes])
    else { return false }
    return planes > 0 && count <= 1 << 36
}

/// Cuts a rectangle out of the axes `row` and `row + 1`; what lies outside the tensor is left out.
func crop(_ x: Tensor, rowAxis row: Int, left: Int, top: Int, width: Int, height: Int) throws -> Tensor {
    func range(_ start: Int, _ length: Int, _ side: Int) -> Range<Int> {
        let first = min(max(start, 0), side)
        let (end, overflow) = start.addingReportingOverflow(length)
        return first..<max(first, min(overflow && length > 0 ? side : end, side))
    }
    let rows = range(top, height, x.shape[row])
    let columns = range(left, width, x.shape[row + 1])
    guard !rows.isEmpty, !columns.isEmpty else {
        throw ImageError(
            .invalidArgument,
            "the rectangle of \(width)×\(height) at \(left), \(top) lies outside the picture of "
                + "\(x.shape[row + 1])×\(x.shape[row])")
    }
    return try x.slice(axis: row, rows).slice(axis: row + 1, columns)
}
