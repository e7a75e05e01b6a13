internal import Glibc
public import Tensors

/// A picture with a grey border, and the mask of what is to be painted (`families-unet-sampling.md` §19,
/// ImagePadForOutpaint).
///
/// - Parameters:
///   - image: `[batch, height, width, channels]`; the border is 0.5 in all channels.
///   - feathering: over how many pixels inside the picture the mask falls to 0, next to extended sides only; without
///     effect where a side of the picture is not longer than twice this.
/// - Returns: the picture, and the mask `[1, height, width]`: 1 in the border.
/// - Throws: ``ImageError/Code/invalidArgument`` for negative numbers or too large a result.
public func padForOutpaint(
    _ image: Tensor, left: Int, top: Int, right: Int, bottom: Int, feathering: Int
) throws -> (image: Tensor, mask: Tensor) {
    let pixels = try imagePixels(image)
    let (batch, height, width, channels) = (pixels.shape[0], pixels.shape[1], pixels.shape[2], pixels.shape[3])
    let sides = [left, top, right, bottom, feathering]
    guard sides.allSatisfy({ $0 >= 0 && $0 <= 1 << 20 }),
        isReasonable(width: width + left + right, height: height + top + bottom, planes: batch * channels)
    else {
        throw ImageError(
            .invalidArgument,
            "a picture of \(width)×\(height) cannot be extended by \(left), \(top), \(right), \(bottom) pixels with a "
                + "feather of \(feathering)")
    }
    let newWidth = width + left + right
    let newHeight = height + top + bottom
    let padded = try pixels.withElements(of: Float.self) { source in
        try Tensor.build([batch, newHeight, newWidth, channels], of: Float.self) { out in
            for i in out.indices { out[i] = 0.5 }
            for item in 0..<batch {
                for y in 0..<height {
                    let from = (item * height + y) * width * channels
                    let to = ((item * newHeight + y + top) * newWidth + left) * channels
                    for k in 0..<width * channels { out[to + k] = source[from + k] }
                }
            }
        }
    }
    let feathers = feathering > 0 && feathering * 2 < height && feathering * 2 < width
    let columns = edgeDistances(width, fromStart: left > 0, fromEnd: right > 0, otherwise: width)
    let rows = edgeDistances(height, fromStart: top > 0, fromEnd: bottom > 0, otherwise: height)
    let mask = try Tensor.build([1, newHeight, newWidth], of: Float.self) { out in
        for i in out.indices { out[i] = 1 }
        for y in 0..<height {
            let to = (y + top) * newWidth + left
            for x in 0..<width {
                let distance = min(columns[x], rows[y])
                let value = feathers ? max(0, Double(feathering - distance) / Double(feathering)) : 0
                out[to + x] = Float(value * value)
            }
        }
    }
    return (padded, mask)
}

/// How far each position is from the nearer end, of those ends that count.
private func edgeDistances(_ length: Int, fromStart: Bool, fromEnd: Bool, otherwise: Int) -> [Int] {
    (0..<length).map { min(fromStart ? $0 : otherwise, fromEnd ? length - $0 : otherwise) }
}
