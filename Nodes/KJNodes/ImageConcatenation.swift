import Images
import PackTools
import Tensors

/// On which side of the first picture the second is put.
enum ConcatenationSide: String, CaseIterable {
    case right, down, left, up

    var isHorizontal: Bool { self == .right || self == .left }
}

/// Both pictures side by side (pack-nodes.md §2, ImageConcanate).
///
/// - Parameters:
///   - matchingSize: resize the second to the first's height (right, left) or width (down, up); otherwise the smaller
///     one is centred on black.
/// - Throws: `TensorError` for what are no pictures.
func concatenated(
    _ first: Tensor, _ second: Tensor, _ side: ConcatenationSide, matchingSize: Bool
) throws -> Tensor {
    guard first.shape.rank == 4, second.shape.rank == 4, first.count > 0, second.count > 0 else {
        throw TensorError(
            .shapeMismatch,
            "pictures have the shape [batch, height, width, channels], found \(first.shape) and \(second.shape)")
    }
    let count = max(first.shape[0], second.shape[0])
    var (a, b) = try PictureBatch.sameChannels(
        PictureBatch.extended(first, to: count), PictureBatch.extended(second, to: count))
    if matchingSize {
        b = try matched(b, to: a, side)
    } else {
        let axis = side.isHorizontal ? 1 : 2
        let length = max(a.shape[axis], b.shape[axis])
        (a, b) = (try centred(a, axis, length), try centred(b, axis, length))
    }
    let parts = side == .right || side == .down ? [a, b] : [b, a]
    return try HostMath.concatenate(parts, axis: side.isHorizontal ? 2 : 1)
}

private func matched(_ image: Tensor, to other: Tensor, _ side: ConcatenationSide) throws -> Tensor {
    let aspect = Double(image.shape[2]) / Double(image.shape[1])
    let (height, width) =
        side.isHorizontal
        ? (other.shape[1], (Double(other.shape[1]) * aspect).truncatedInt)
        : ((Double(other.shape[2]) / aspect).truncatedInt, other.shape[2])
    if height == image.shape[1] && width == image.shape[2] { return image }
    return try AntialiasedResize.bicubic(image, width: max(width, 1), height: max(height, 1))
}

private func centred(_ image: Tensor, _ axis: Int, _ length: Int) throws -> Tensor {
    let rest = length - image.shape[axis]
    if rest == 0 { return image }
    func positions(_ other: Int) throws -> [Int?] {
        try Remapping.padded(
            image.shape[other], before: other == axis ? rest / 2 : 0, after: other == axis ? rest - rest / 2 : 0)
    }
    return try Remapping.apply(image, rows: positions(1), columns: positions(2))
}
