public import Tensors

/// Luminance and chrominance of a picture `[batch, height, width, 3]`, each as a grey picture of that shape
/// (ITU-R BT.601 with full range; chrominance about 0.5).
///
/// - Throws: ``ImageError/Code/invalidArgument`` for pictures without three channels.
public func rgbToYUV(_ image: Tensor) throws -> (y: Tensor, u: Tensor, v: Tensor) {
    let pixels = try imagePixels(image)
    guard pixels.shape[3] == 3 else {
        throw ImageError(.invalidArgument, "a picture with 3 channels is needed, found \(pixels.shape[3])")
    }
    func plane(_ body: (Float, Float, Float, Float) -> Float) throws -> Tensor {
        try pixels.withElements(of: Float.self) { source in
            try Tensor.build(pixels.shape, of: Float.self) { out in
                for at in stride(from: 0, to: source.count, by: 3) {
                    let (r, g, b) = (source[at], source[at + 1], source[at + 2])
                    let value = body(0.299 * r + 0.587 * g + 0.114 * b, r, g, b)
                    for channel in 0..<3 { out[at + channel] = value }
                }
            }
        }
    }
    return (
        try plane { y, _, _, _ in y }, try plane { y, _, _, b in (b - y) * 0.564 + 0.5 },
        try plane { y, r, _, _ in (r - y) * 0.713 + 0.5 }
    )
}

/// The picture of luminance and chrominance pictures; their channels are averaged, the result is not clamped.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for pictures of different sizes.
public func yuvToRGB(y: Tensor, u: Tensor, v: Tensor) throws -> Tensor {
    let planes = try [y, u, v].map { try channelMean(imagePixels($0)) }
    let sizes = planes.map { $0.shape }
    guard sizes[0] == sizes[1], sizes[0] == sizes[2] else {
        throw ImageError(.invalidArgument, "Y, U and V have different sizes: \(sizes)")
    }
    return try planes[0].withElements(of: Float.self) { y in
        try planes[1].withElements(of: Float.self) { u in
            try planes[2].withElements(of: Float.self) { v in
                try Tensor.build(Shape(sizes[0].array + [3]), of: Float.self) { out in
                    for i in y.indices {
                        let (blue, red) = (u[i] - 0.5, v[i] - 0.5)
                        out[3 * i] = y[i] + 1.403 * red
                        out[3 * i + 1] = y[i] - 0.714 * red - 0.344 * blue
                        out[3 * i + 2] = y[i] + 1.773 * blue
                    }
                }
            }
        }
    }
}

/// `[batch, height, width]`.
private func channelMean(_ pixels: Tensor) throws -> Tensor {
    let channels = pixels.shape[3]
    return try pixels.withElements(of: Float.self) { source in
        try Tensor.build(Shape(pixels.shape.array.dropLast()), of: Float.self) { out in
            for i in out.indices {
                var sum: Float = 0
                for channel in 0..<channels { sum += source[i * channels + channel] }
                out[i] = sum / Float(channels)
            }
        }
    }
}
