public import Tensors

/// Grey-scale morphology with a box of n × n pixels, each channel on its own; the raw values are the names in workflows
/// (kornia 0.8's operations, which the reference calls). Pixels outside the picture take no part.
public enum Morphology: String, Sendable, Hashable, CaseIterable {
    /// Smallest value in the box.
    case erode
    /// Largest value in the box.
    case dilate
    /// Eroded, then dilated.
    case open
    /// Dilated, then eroded.
    case close
    /// Dilated minus eroded.
    case gradient
    /// Closed minus the picture.
    case bottomHat = "bottom_hat"
    /// The picture minus opened.
    case topHat = "top_hat"

    /// - Parameters:
    ///   - image: `[batch, height, width, channels]`.
    ///   - size: side of the box. An even one reaches one pixel farther to the left and up than to the right and down.
    /// - Throws: ``ImageError/Code/invalidArgument``.
    public func apply(to image: Tensor, size: Int) throws -> Tensor {
        let pixels = try imagePixels(image)
        guard (1...4096).contains(size) else {
            throw ImageError(.invalidArgument, "a box of \(size) pixels is not between 1 and 4096")
        }
        func dilated(_ x: Tensor) throws -> Tensor { try extremes(x, size, isMaximum: true) }
        func eroded(_ x: Tensor) throws -> Tensor { try extremes(x, size, isMaximum: false) }
        switch self {
        case .erode: return try eroded(pixels)
        case .dilate: return try dilated(pixels)
        case .open: return try dilated(eroded(pixels))
        case .close: return try eroded(dilated(pixels))
        case .gradient: return try HostMath.subtract(dilated(pixels), eroded(pixels))
        case .bottomHat: return try HostMath.subtract(eroded(dilated(pixels)), pixels)
        case .topHat: return try HostMath.subtract(pixels, dilated(eroded(pixels)))
        }
    }
}

private func extremes(_ x: Tensor, _ size: Int, isMaximum: Bool) throws -> Tensor {
    let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let wide = try slidingExtreme(
        x, outer: batch * height, length: width, inner: channels, window: size, isMaximum: isMaximum)
    return try slidingExtreme(
        wide, outer: batch, length: height, inner: width * channels, window: size, isMaximum: isMaximum
    ).reshaped(x.shape)
}

/// The extreme of `window` neighbours along the middle axis of `[outer, length, inner]`, from window/2 before on.
///
/// Works by doubling: windows of length w at i and at i + w make one of length 2w at i.
private func slidingExtreme(
    _ x: Tensor, outer: Int, length: Int, inner: Int, window: Int, isMaximum: Bool
) throws -> Tensor {
    let padding = window - 1
    let passes = Int.bitWidth - window.leadingZeroBitCount + 1
    return try x.withElements(of: Float.self) { source in
        try Tensor.buildRows(
            [outer, length, inner], of: Float.self, rows: outer, work: x.count * passes
        ) { rows, out in
            var buffer = [Float](repeating: 0, count: (length + padding) * inner)
            for row in rows {
                var line = buffer.mutableSpan
                let (before, start) = (window / 2 * inner, row * length * inner)
                for k in line.indices { line[k] = isMaximum ? -.infinity : .infinity }
                for k in 0..<length * inner { line[before + k] = source[start + k] }
                var reach = 1
                while reach < window {
                    let step = min(reach, window - reach) * inner
                    for k in 0..<line.count - step {
                        let (a, b) = (line[k], line[k + step])
                        line[k] = isMaximum ? (a > b ? a : b) : (a < b ? a : b)
                    }
                    reach += step / inner
                }
                let to = (row - rows.lowerBound) * length * inner
                for k in 0..<length * inner { out[to + k] = line[k] }
            }
        }
    }
}
