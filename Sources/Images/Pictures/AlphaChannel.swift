public import Tensors

/// Pictures with the inverse of a mask as their fourth channel; as many as there are of both (JoinImageWithAlpha).
///
/// - Parameters:
///   - image: `[batch, height, width, 3 or more]`; only the first three channels are taken.
///   - mask: `[masks, height, width]`, resized to the picture (bilinear).
/// - Throws: ``ImageError/Code/invalidArgument``.
public func joinAlpha(_ image: Tensor, mask: Tensor) throws -> Tensor {
    let pixels = try imagePixels(image)
    let alpha = try resizeMask(mask, width: pixels.shape[2], height: pixels.shape[1], method: .bilinear)
    let count = min(pixels.shape[0], alpha.shape[0])
    let shape: Shape = [count, pixels.shape[1], pixels.shape[2], 1]
    return try HostMath.concatenate(
        [
            withChannels(pixels, 3).slice(axis: 0, 0..<count),
            HostMath.map(alpha.slice(axis: 0, 0..<count)) { 1 - $0 }.reshaped(shape),
        ], axis: 3)
}

/// The colours of pictures, and the inverse of their alpha as a mask: 0 for pictures without (SplitImageWithAlpha).
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank.
public func splitAlpha(_ image: Tensor) throws -> (image: Tensor, mask: Tensor) {
    let pixels = try imagePixels(image)
    let shape: Shape = [pixels.shape[0], pixels.shape[1], pixels.shape[2]]
    let colours = pixels.shape[3] > 3 ? try pixels.slice(axis: 3, 0..<3).asFloat32() : pixels
    guard pixels.shape[3] > 3 else { return (colours, try Tensor.zeros(shape)) }
    let alpha = try pixels.slice(axis: 3, 3..<4).asFloat32().reshaped(shape)
    return (colours, try HostMath.map(alpha) { 1 - $0 })
}
