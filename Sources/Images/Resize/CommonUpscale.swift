public import Tensors

/// Resizes the two last axes of `[batch, channels, height, width]`, after cutting the source to the new aspect ratio
/// if asked (`families-unet-sampling.md` §18).
///
/// - Returns: float32 `[batch, channels, height, width]`.
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank, an empty size, or Lanczos on more than 4 channels.
public func commonUpscale(
    _ x: Tensor, width: Int, height: Int, method: ResizeMethod, crop: ResizeCrop = .disabled
) throws -> Tensor {
    try resize(x, .channelsFirst, width: width, height: height, method: method, crop: crop)
}

/// Resizes pictures `[batch, height, width, channels]`; otherwise as ``commonUpscale(_:width:height:method:crop:)``.
public func resizeImage(
    _ image: Tensor, width: Int, height: Int, method: ResizeMethod, crop: ResizeCrop = .disabled
) throws -> Tensor {
    try resize(image, .channelsLast, width: width, height: height, method: method, crop: crop)
}

/// Resizes masks `[batch, height, width]`; otherwise as ``commonUpscale(_:width:height:method:crop:)``.
public func resizeMask(
    _ mask: Tensor, width: Int, height: Int, method: ResizeMethod, crop: ResizeCrop = .disabled
) throws -> Tensor {
    let planes = try maskPlanes(mask)
    let size = planes.shape
    return try resize(
        planes.reshaped([size[0], 1, size[1], size[2]]), .channelsFirst, width: width, height: height, method: method,
        crop: crop
    ).reshaped([size[0], height, width])
}

/// Where height, width and channels stand in a tensor of rank 4.
enum PixelLayout {
    case channelsFirst, channelsLast

    var heightAxis: Int { self == .channelsFirst ? 2 : 1 }
    var widthAxis: Int { self == .channelsFirst ? 3 : 2 }
    var channelAxis: Int { self == .channelsFirst ? 1 : 3 }
}

private func resize(
    _ x: Tensor, _ layout: PixelLayout, width: Int, height: Int, method: ResizeMethod, crop: ResizeCrop
) throws -> Tensor {
    guard x.shape.rank == 4, x.count > 0 else {
        throw ImageError(
            .invalidArgument,
            "only pictures [batch, height, width, channels] and latents [batch, channels, height, width] can be resized, "
                + "found the shape \(x.shape)")
    }
    guard isReasonable(width: width, height: height, planes: x.shape[0] * x.shape[layout.channelAxis]) else {
        throw ImageError(
            .invalidArgument,
            "cannot resize to \(width)×\(height) pixels; both sides must be positive and below a million")
    }
    let source = crop == .center ? try centerCrop(x, layout, toAspectOf: width, height) : x
    switch method {
    case .lanczos: return try lanczos(source, layout, width: width, height: height)
    case .bislerp: return try bislerp(source, layout, width: width, height: height)
    case .nearest, .nearestExact, .bilinear, .area, .bicubic:
        return try separable(source.asFloat32(), layout, width: width, height: height, method)
    }
}

/// First along the width, then along the height.
private func separable(
    _ x: Tensor, _ layout: PixelLayout, width: Int, height: Int, _ method: ResizeMethod
) throws -> Tensor {
    let (oldHeight, oldWidth) = (x.shape[layout.heightAxis], x.shape[layout.widthAxis])
    let planes = layout == .channelsFirst ? x.shape[0] * x.shape[1] : x.shape[0]
    let channels = layout == .channelsFirst ? 1 : x.shape[3]
    let columns = AxisTaps(method, from: oldWidth, to: width)
    let rows = AxisTaps(method, from: oldHeight, to: height)
    let wide = try resample(x, outer: planes * oldHeight, length: oldWidth, inner: channels, taps: columns)
    let result = try resample(wide, outer: planes, length: oldHeight, inner: width * channels, taps: rows)
    return try result.reshaped(
        x.shape.replacing(layout.heightAxis, with: height).replacing(layout.widthAxis, with: width))
}

/// The middle of a picture with the aspect ratio of `width` to `height`.
private func centerCrop(_ x: Tensor, _ layout: PixelLayout, toAspectOf width: Int, _ height: Int) throws -> Tensor {
    let (oldHeight, oldWidth) = (x.shape[layout.heightAxis], x.shape[layout.widthAxis])
    let oldAspect = Double(oldWidth) / Double(oldHeight)
    let newAspect = Double(width) / Double(height)
    let isTooWide = oldAspect > newAspect
    let side = isTooWide ? oldWidth : oldHeight
    let kept = isTooWide ? newAspect / oldAspect : oldAspect / newAspect
    let margin = Int(((Double(side) - Double(side) * kept) / 2).rounded(.toNearestOrEven))
    guard side - 2 * margin > 0 else {
        throw ImageError(
            .invalidArgument,
            "a picture of \(oldWidth)×\(oldHeight) pixels cannot be cropped to the aspect ratio \(width):\(height); "
                + "nothing would be left")
    }
    return try x.slice(axis: isTooWide ? layout.widthAxis : layout.heightAxis, margin..<side - margin)
}

/// Pillow's Lanczos on bytes, picture by picture.
private func lanczos(_ x: Tensor, _ layout: PixelLayout, width: Int, height: Int) throws -> Tensor {
    guard x.shape[layout.channelAxis] <= 4 else {
        throw ImageError(
            .invalidArgument,
            "lanczos works on pictures with 1 to 4 channels, found \(x.shape[layout.channelAxis]); use bilinear, bicubic "
                + "or bislerp for latents")
    }
    let pictures = layout == .channelsFirst ? try x.permuted([0, 2, 3, 1]) : x
    let resized = try (0..<pictures.shape[0]).map { item in
        try ByteImage(truncating: pictures, item: item).resized(width: width, height: height, .lanczos).floatTensor()
    }
    let result = try HostMath.concatenate(resized, axis: 0)
    return layout == .channelsFirst ? try result.permuted([0, 3, 1, 2]).asFloat32() : result
}
