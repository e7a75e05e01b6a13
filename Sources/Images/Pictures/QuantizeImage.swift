internal import Glibc
public import Tensors

/// How ImageQuantize hides that colours are missing; the raw values are the names in workflows.
public enum Dithering: String, Sendable, Hashable, CaseIterable {
    case none
    case floydSteinberg = "floyd-steinberg"
    case bayer2 = "bayer-2"
    case bayer4 = "bayer-4"
    case bayer8 = "bayer-8"
    case bayer16 = "bayer-16"

    /// Side of the threshold matrix.
    fileprivate var order: Int? {
        switch self {
        case .none, .floydSteinberg: nil
        case .bayer2: 2
        case .bayer4: 4
        case .bayer8: 8
        case .bayer16: 16
        }
    }
}

/// Every picture of a batch with at most `colours` colours of its own, chosen and used as Pillow does it.
///
/// - Parameter image: `[batch, height, width, channels]`; alpha is dropped, grey becomes RGB.
/// - Returns: `[batch, height, width, 3]`.
/// - Throws: ``ImageError/Code/invalidArgument``.
public func quantizeImage(_ image: Tensor, colours: Int, _ dithering: Dithering) throws -> Tensor {
    let pixels = try imagePixels(image)
    guard (1...256).contains(colours) else {
        throw ImageError(.invalidArgument, "\(colours) colours are not between 1 and 256")
    }
    let rgb =
        pixels.shape[3] < 3
        ? try maskToImage(
            pixels.slice(axis: 3, 0..<1).asFloat32().reshaped(
                [pixels.shape[0], pixels.shape[1], pixels.shape[2]])) : try pixels.slice(axis: 3, 0..<3)
    return try HostMath.concatenate(
        (0..<pixels.shape[0]).map { item in
            let picture = try ByteImage(truncating: rgb, item: item)
            return try picture.withSamples { samples in
                var map = PaletteMap(MedianCut.palette(of: samples, count: colours))
                return try ByteImage(width: picture.width, height: picture.height, channels: 3) { out in
                    switch dithering {
                    case .none: map.nearest(samples, &out)
                    case .floydSteinberg: map.diffused(samples, width: picture.width, &out)
                    case .bayer2, .bayer4, .bayer8, .bayer16:
                        let shifted = ordered(samples, width: picture.width, dithering, colours: map.palette.count / 3)
                        map.nearest(shifted.span, &out)
                    }
                }.floatTensor()
            }
        }, axis: 0)
}

/// Thresholds of B. Bayer's matrix (1973) added to RGB bytes; their span is that of two palette steps.
private func ordered(_ pixels: Span<UInt8>, width: Int, _ dithering: Dithering, colours: Int) -> [UInt8] {
    let order = dithering.order ?? 1
    let matrix = bayerMatrix(order)
    let spread = 2 * 256 / Float(colours)
    return (0..<pixels.count).map { i in
        let (y, x) = (i / 3).quotientAndRemainder(dividingBy: width)
        let threshold = spread * matrix[y % order * order + x % order] + 0.5
        return UInt8(min(max(Float(pixels[i]) + threshold, 0), 255))
    }
}

/// The matrix of side 2ⁿ with values about 0, each power made of four of the one before.
private func bayerMatrix(_ order: Int) -> [Float] {
    guard order > 1 else { return [0] }
    let half = order / 2
    let inner = bayerMatrix(half)
    let quarters = Float(order * order)
    let offsets: [Float] = [-1.5, 0.5, 1.5, -0.5]
    return (0..<order * order).map { i in
        let (y, x) = i.quotientAndRemainder(dividingBy: order)
        return (quarters * inner[y % half * half + x % half] + offsets[y / half * 2 + x / half]) / quarters
    }
}
