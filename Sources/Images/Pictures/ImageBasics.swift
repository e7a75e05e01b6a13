public import Tensors

/// 1 − image.
public func invertImage(_ image: Tensor) throws -> Tensor { try HostMath.map(image) { 1 - $0 } }

/// A picture `[count, height, width, 3]` of the colour 0xRRGGBB.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when a side or the count is not positive.
public func emptyImage(width: Int, height: Int, count: Int = 1, colour: Int = 0) throws -> Tensor {
    guard count > 0, count < 1 << 20, isReasonable(width: width, height: height, planes: 3 * count) else {
        throw ImageError(.invalidArgument, "\(count) pictures of \(width)×\(height) pixels cannot be made")
    }
    let channels = [16, 8, 0].map { Float((colour >> $0) & 255) / 255 }
    return try Tensor.build([count, height, width, 3], of: Float.self) { out in
        for i in out.indices { out[i] = channels[i % 3] }
    }
}

/// The part of a picture `[batch, height, width, channels]` within a rectangle, whose corner is moved inside.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or an empty rectangle.
public func cropImage(_ image: Tensor, left: Int, top: Int, width: Int, height: Int) throws -> Tensor {
    let pixels = try imagePixels(image)
    return try crop(
        pixels, rowAxis: 1, left: min(left, pixels.shape[2] - 1), top: min(top, pixels.shape[1] - 1), width: width,
        height: height)
}

/// The pictures of both batches; the second are brought to the size of the first (bilinear, centre crop), and the ones
/// without alpha get an opaque one if the others have it.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank.
public func joinImageBatches(_ first: Tensor, _ second: Tensor) throws -> Tensor {
    let (a, b) = (try imagePixels(first), try imagePixels(second))
    let channels = max(a.shape[3], b.shape[3])
    let fitting =
        a.shape[1] == b.shape[1] && a.shape[2] == b.shape[2]
        ? b : try resizeImage(b, width: a.shape[2], height: a.shape[1], method: .bilinear, crop: .center)
    return try HostMath.concatenate([withChannels(a, channels), withChannels(fitting, channels)], axis: 0)
}
