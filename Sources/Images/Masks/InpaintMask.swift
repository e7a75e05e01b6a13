public import Tensors

/// A picture and mask made ready for encoding with a hole (`families-unet-sampling.md` §11.3).
public struct InpaintInput: Sendable {
    /// The picture cut to multiples of 8 pixels, `[batch, height, width, channels]`.
    public var original: Tensor
    /// The same with 0.5 where the mask rounds to 1.
    public var masked: Tensor
    /// The mask in the size of the cut picture, `[masks, 1, height, width]`, not rounded.
    public var mask: Tensor
}

/// Resizes the mask to the picture (bilinear), cuts both to multiples of 8 around the centre, and greys out the hole.
///
/// - Parameters:
///   - image: `[batch, height, width, channels]`, both sides at least 8 pixels.
///   - mask: `[masks, height, width]`; cycled over the batch.
/// - Throws: ``ImageError/Code/invalidArgument``.
public func prepareInpainting(_ image: Tensor, mask: Tensor) throws -> InpaintInput {
    let pixels = try imagePixels(image)
    let (height, width) = (pixels.shape[1], pixels.shape[2])
    guard height >= 8, width >= 8 else {
        throw ImageError(
            .invalidArgument, "a picture of \(width)×\(height) pixels is too small to encode; 8×8 is the least")
    }
    let resized = try resizeMask(mask, width: width, height: height, method: .bilinear)
    let (left, top) = (width % 8 / 2, height % 8 / 2)
    let (newWidth, newHeight) = (width / 8 * 8, height / 8 * 8)
    let cutMask = try crop(resized, rowAxis: 1, left: left, top: top, width: newWidth, height: newHeight).asFloat32()
    let original = try crop(pixels, rowAxis: 1, left: left, top: top, width: newWidth, height: newHeight).asFloat32()
    let holes = try HostMath.map(HostMath.cycleBatch(cutMask, to: pixels.shape[0])) {
        1 - $0.rounded(.toNearestOrEven)
    }
    let kept = try holes.asFloat32().reshaped(Shape(holes.shape.array + [1])).broadcast(to: original.shape).asFloat32()
    let masked = try HostMath.zip(original, kept) { ($0 - 0.5) * $1 + 0.5 }
    return InpaintInput(
        original: original, masked: masked, mask: try cutMask.reshaped([cutMask.shape[0], 1, newHeight, newWidth]))
}

/// The noise mask of VAEEncodeForInpaint: the rounded mask grown by a box of `count` × `count` pixels, 0 or 1.
///
/// With an even count the mask grows one pixel farther to the right and down than to the left and up.
///
/// - Parameter mask: `[masks, 1, height, width]` or `[masks, height, width]`; the shape is kept.
/// - Throws: ``ImageError/Code/invalidArgument`` for a negative count.
public func growInpaintMask(_ mask: Tensor, by count: Int) throws -> Tensor {
    guard count >= 0 else { throw ImageError(.invalidArgument, "a mask cannot be grown by \(count) pixels") }
    let planes = try HostMath.map(maskPlanes(mask)) { $0.rounded(.toNearestOrEven) }
    if count == 0 { return try planes.reshaped(mask.shape) }
    let (height, width) = (planes.shape[1], planes.shape[2])
    let wide = try boxSums(planes, outer: planes.shape[0] * height, length: width, inner: 1, count)
    let sums = try boxSums(wide, outer: planes.shape[0], length: height, inner: width, count)
    return try HostMath.map(sums) { min(max($0, 0), 1).rounded(.toNearestOrEven) }.reshaped(mask.shape)
}

/// Sums of `count` neighbours along the middle axis, zeros outside. Exact, since the terms are whole numbers.
private func boxSums(_ x: Tensor, outer: Int, length: Int, inner: Int, _ count: Int) throws -> Tensor {
    // ⌈(count − 1) / 2⌉ neighbours before, the rest behind.
    let before = min(count / 2, length)
    let behind = min(count - 1 - count / 2, length)
    return try x.withElements(of: Float.self) { source in
        try Tensor.build([outer, length, inner], of: Float.self) { out in
            for o in 0..<outer {
                for k in 0..<inner {
                    let start = o * length * inner + k
                    var sum: Float = 0
                    for i in 0..<min(behind, length) { sum += source[start + i * inner] }
                    for i in 0..<length {
                        if i + behind < length { sum += source[start + (i + behind) * inner] }
                        if i - before - 1 >= 0 { sum -= source[start + (i - before - 1) * inner] }
                        out[start + i * inner] = sum
                    }
                }
            }
        }
    }
}
