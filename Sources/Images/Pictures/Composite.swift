public import Tensors

/// Puts `source` on `destination` at (`x`, `y`) through a mask: mask·source + (1 − mask)·destination
/// (`families-unet-sampling.md` §19).
///
/// - Parameters:
///   - destination: `[batch, height, width, channels]`; `source` likewise. The source's batch is cycled or cut. A source
///     with more channels loses them, one without alpha counts as opaque.
///   - mask: `[masks, height, width]`, resized to the source (bilinear) and cycled; none is 1 everywhere.
///   - resizeSource: bring the source to the destination's size first (bilinear).
/// - Throws: ``ImageError/Code/invalidArgument`` for other ranks.
public func compositeImages(
    _ destination: Tensor, _ source: Tensor, x: Int, y: Int, mask: Tensor? = nil, resizeSource: Bool = false
) throws -> Tensor {
    let below = try imagePixels(destination)
    let above = try withChannels(imagePixels(source), below.shape[3])
    return try composite(below, above, .channelsLast, x: x, y: y, mask: mask, resizeSource: resizeSource)
}

/// The same on latents `[batch, channels, height, width]` of equal channel count; `x` and `y` count pixels, of which
/// `pixelsPerCell` make a latent cell.
public func compositeLatents(
    _ destination: Tensor, _ source: Tensor, x: Int, y: Int, mask: Tensor? = nil, resizeSource: Bool = false,
    pixelsPerCell: Int = 8
) throws -> Tensor {
    guard destination.shape.rank == 4, source.shape.rank == 4, destination.shape[1] == source.shape[1],
        destination.count > 0, source.count > 0, pixelsPerCell > 0
    else {
        throw ImageError(
            .invalidArgument,
            "latents [batch, channels, height, width] with equal channels can be combined, found \(destination.shape) "
                + "and \(source.shape)")
    }
    return try composite(
        destination.asFloat32(), source.asFloat32(), .channelsFirst, x: floorDivide(x, pixelsPerCell),
        y: floorDivide(y, pixelsPerCell), mask: mask, resizeSource: resizeSource)
}

private func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -1 - (-1 - a) / b }

private func composite(
    _ below: Tensor, _ source: Tensor, _ layout: PixelLayout, x: Int, y: Int, mask: Tensor?, resizeSource: Bool
) throws -> Tensor {
    let (height, width) = (below.shape[layout.heightAxis], below.shape[layout.widthAxis])
    let batch = below.shape[0]
    var above = source
    if resizeSource {
        above =
            layout == .channelsLast
            ? try resizeImage(above, width: width, height: height, method: .bilinear)
            : try commonUpscale(above, width: width, height: height, method: .bilinear)
    }
    above = try HostMath.cycleBatch(above, to: batch).asFloat32()
    let (sourceHeight, sourceWidth) = (above.shape[layout.heightAxis], above.shape[layout.widthAxis])
    let opaque = try mask.map {
        try HostMath.cycleBatch(
            resizeMask($0, width: sourceWidth, height: sourceHeight, method: .bilinear), to: batch
        ).asFloat32()
    }
    let weights = try opaque ?? Tensor.full([batch, sourceHeight, sourceWidth], 1)
    let area = Overlap(x, y, sourceWidth, sourceHeight, on: width, height)
    let channels = below.shape[layout.channelAxis]
    let (to, from) = (below.strides, above.strides)
    return try below.withElements(of: Float.self) { old in
        try above.withElements(of: Float.self) { new in
            try weights.withElements(of: Float.self) { weights in
                try Tensor.build(below.shape, of: Float.self) { out in
                    for i in out.indices { out[i] = old[i] }
                    for item in 0..<batch {
                        for row in area.rows {
                            for column in area.columns {
                                let (v, u) = (row - area.top, column - area.left)
                                let weight = weights[(item * sourceHeight + v) * sourceWidth + u]
                                let target = item * to[0] + row * to[layout.heightAxis] + column * to[layout.widthAxis]
                                let origin = item * from[0] + v * from[layout.heightAxis] + u * from[layout.widthAxis]
                                for channel in 0..<channels {
                                    let i = target + channel * to[layout.channelAxis]
                                    let value = new[origin + channel * from[layout.channelAxis]]
                                    out[i] = weight * value + (1 - weight) * old[i]
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A picture with that many channels: cut off, or filled with 1 (opaque).
func withChannels(_ image: Tensor, _ channels: Int) throws -> Tensor {
    let have = image.shape[3]
    if have == channels { return image }
    if have > channels { return try image.slice(axis: 3, 0..<channels).asFloat32() }
    let rest = try Tensor.full(image.shape.replacing(3, with: channels - have), 1)
    return try HostMath.concatenate([image, rest], axis: 3)
}
