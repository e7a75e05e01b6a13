public import Tensors

/// 1 − mask.
public func invertMask(_ mask: Tensor) throws -> Tensor { try HostMath.map(mask) { 1 - $0 } }

/// 1 where the mask is above `value`, else 0.
public func thresholdMask(_ mask: Tensor, above value: Float) throws -> Tensor {
    try HostMath.map(mask) { $0 > value ? 1 : 0 }
}

/// A mask `[1, height, width]` of one value.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when a side is not positive.
public func solidMask(_ value: Float, width: Int, height: Int) throws -> Tensor {
    guard isReasonable(width: width, height: height) else {
        throw ImageError(.invalidArgument, "a mask of \(width)×\(height) pixels cannot be made")
    }
    return try Tensor.full([1, height, width], value)
}

/// The part of a mask `[batch, height, width]` within a rectangle.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when the rectangle lies outside the mask.
public func cropMask(_ mask: Tensor, left: Int, top: Int, width: Int, height: Int) throws -> Tensor {
    try crop(maskPlanes(mask), rowAxis: 1, left: left, top: top, width: width, height: height)
}

/// A mask `[batch, height, width]` as a grey picture `[batch, height, width, 3]`.
public func maskToImage(_ mask: Tensor) throws -> Tensor {
    let planes = try maskPlanes(mask)
    return try planes.withElements(of: Float.self) { source in
        try Tensor.build(Shape(planes.shape.array + [3]), of: Float.self) { out in
            for i in source.indices {
                for channel in 0..<3 { out[3 * i + channel] = source[i] }
            }
        }
    }
}

/// One channel of a picture `[batch, height, width, channels]` as a mask `[batch, height, width]`.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when the picture has no such channel.
public func imageToMask(_ image: Tensor, _ channel: ImageFile.Channel) throws -> Tensor {
    let pixels = try imagePixels(image)
    guard channel.index < pixels.shape[3] else {
        throw ImageError(
            .invalidArgument,
            "the picture has \(pixels.shape[3]) channels and no \(channel.rawValue) channel; choose red, green or blue")
    }
    let plane = try pixels.slice(axis: 3, channel.index..<channel.index + 1).asFloat32()
    return try plane.reshaped([pixels.shape[0], pixels.shape[1], pixels.shape[2]])
}

/// 1 where a picture `[batch, height, width, 3 or 4]` has exactly the colour 0xRRGGBB after rounding to bytes.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for fewer channels.
public func colourToMask(_ image: Tensor, colour: Int) throws -> Tensor {
    let pixels = try imagePixels(image)
    let channels = pixels.shape[3]
    guard channels >= 3 else {
        throw ImageError(.invalidArgument, "a picture with \(channels) channels has no colours")
    }
    return try pixels.withElements(of: Float.self) { source in
        try Tensor.build([pixels.shape[0], pixels.shape[1], pixels.shape[2]], of: Float.self) { out in
            for i in out.indices {
                var found = 0
                for channel in 0..<3 {
                    let value = min(max(source[i * channels + channel] * 255, 0), 255).rounded(.toNearestOrEven)
                    found = found << 8 | (value.isNaN ? 0 : Int(value))
                }
                out[i] = found == colour ? 1 : 0
            }
        }
    }
}
