internal import Glibc
public import Tensors

/// The blur of the node ImageBlur: a Gaussian over (2·radius + 1)² pixels whose coordinates run from −1 to 1, mirrored
/// edges (`families-unet-sampling.md` §19).
///
/// - Parameter image: `[batch, height, width, channels]`, both sides longer than `radius`.
/// - Throws: ``ImageError/Code/invalidArgument``.
public func blurImage(_ image: Tensor, radius: Int, sigma: Double) throws -> Tensor {
    let pixels = try imagePixels(image)
    if radius == 0 { return pixels }
    let (height, width, channels) = (pixels.shape[1], pixels.shape[2], pixels.shape[3])
    guard radius > 0, radius < height, radius < width, sigma > 0 else {
        throw ImageError(
            .invalidArgument,
            "a picture of \(width)×\(height) pixels cannot be blurred with radius \(radius) and sigma \(sigma); the "
                + "radius must be smaller than both sides, sigma positive")
    }
    let kernel = gaussianKernel(radius: radius, sigma: sigma)
    let wide = try convolvedRows(pixels, width: width, channels: channels, kernel)
    return try resample(
        wide, outer: pixels.shape[0], length: height, inner: width * channels, taps: AxisTaps(kernel, height)
    ).reshaped(pixels.shape)
}

/// Every row convolved with the kernel: as sums of shifted rows, which is faster than ``resample(_:outer:length:inner:taps:)``
/// for neighbours so close together.
private func convolvedRows(_ pixels: Tensor, width: Int, channels: Int, _ kernel: [Float]) throws -> Tensor {
    let row = width * channels
    let radius = kernel.count / 2
    let rows = pixels.count / row
    return try pixels.withElements(of: Float.self) { source in
        try Tensor.buildRows(pixels.shape, of: Float.self, rows: rows, work: pixels.count * kernel.count) { rows, out in
            var padded = [Float](repeating: 0, count: (width + 2 * radius) * channels)
            for index in rows {
                for x in -radius..<width + radius {
                    let from = index * row + mirrored(x, width) * channels
                    for channel in 0..<channels { padded[(x + radius) * channels + channel] = source[from + channel] }
                }
                let to = (index - rows.lowerBound) * row
                let line = padded.span
                for k in 0..<row { out[to + k] = kernel[0] * line[k] }
                for tap in 1..<kernel.count {
                    let weight = kernel[tap]
                    let shifted = line.extracting(tap * channels..<tap * channels + row)
                    for k in 0..<row { out[to + k] += weight * shifted[k] }
                }
            }
        }
    }
}

/// A position outside mirrored into the line, without repeating its ends.
private func mirrored(_ x: Int, _ length: Int) -> Int {
    let x = abs(x)
    return x < length ? x : 2 * (length - 1) - x
}

/// The node ImageSharpen: the picture plus 10·`alpha` times its difference from ``blurImage(_:radius:sigma:)``, clamped.
public func sharpenImage(_ image: Tensor, radius: Int, sigma: Double, alpha: Double) throws -> Tensor {
    let strength = Float(10 * alpha)
    let blurred = try blurImage(image, radius: radius, sigma: sigma)
    return try HostMath.zip(image, blurred) { min(max((1 + strength) * $0 - strength * $1, 0), 1) }
}

/// One factor of the two-dimensional kernel, with the sum 1.
private func gaussianKernel(radius: Int, sigma: Double) -> [Float] {
    let values = (-radius...radius).map { i in
        let u = Double(i) / Double(radius)
        return exp(-u * u / (2 * sigma * sigma))
    }
    let sum = values.reduce(0, +)
    return values.map { Float($0 / sum) }
}

extension AxisTaps {
    /// Convolution with an odd kernel, the edges mirrored without repeating the edge itself.
    fileprivate init(_ kernel: [Float], _ length: Int) {
        let radius = kernel.count / 2
        self.init(count: length) { i in
            kernel.enumerated().map { offset, weight in (mirrored(i + offset - radius, length), weight) }
        }
    }
}
