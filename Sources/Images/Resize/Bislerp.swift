internal import Glibc
internal import Tensors

/// Spherical interpolation of the vectors over the channels, first along the width, then along the height
/// (`families-unet-sampling.md` §18).
func bislerp(_ x: Tensor, _ layout: PixelLayout, width: Int, height: Int) throws -> Tensor {
    let vectors = try (layout == .channelsFirst ? x.permuted([0, 2, 3, 1]) : x).asFloat32()
    let (batch, oldHeight, oldWidth) = (vectors.shape[0], vectors.shape[1], vectors.shape[2])
    let channels = vectors.shape[3]
    let wide = try slerpAxis(
        vectors, outer: batch * oldHeight, length: oldWidth, inner: 1, channels, SlerpTaps(from: oldWidth, to: width))
    let result = try slerpAxis(
        wide, outer: batch, length: oldHeight, inner: width, channels, SlerpTaps(from: oldHeight, to: height)
    ).reshaped([batch, height, width, channels])
    return layout == .channelsFirst ? try result.permuted([0, 3, 1, 2]).asFloat32() : result
}

/// The two neighbours of every output position, and how far it is from the first to the second.
private struct SlerpTaps {
    var first: [Int] = []
    var second: [Int] = []
    var fraction: [Float] = []

    init(from input: Int, to output: Int) {
        let taps = AxisTaps(.bilinear, from: input, to: output)
        for i in 0..<output {
            let (low, high) = (taps.indices[2 * i], taps.indices[2 * i + 1])
            let (a, b) = (taps.weights[2 * i], taps.weights[2 * i + 1])
            let position = a * Float(low) + b * Float(high)
            // The second neighbour is the same resampling of 1, 2, …, n − 1, n − 1, truncated.
            let next = a * Float(min(low + 1, input - 1)) + b * Float(min(high + 1, input - 1))
            first.append(Int(position))
            second.append(min(Int(next), input - 1))
            fraction.append(position - position.rounded(.down))
        }
    }
}

/// `[outer, length, inner, channels]` → `[outer, taps, inner, channels]`.
private func slerpAxis(
    _ x: Tensor, outer: Int, length: Int, inner: Int, _ channels: Int, _ taps: SlerpTaps
) throws -> Tensor {
    let count = taps.first.count
    return try x.withElements(of: Float.self) { source in
        let shape: Shape = [outer, count, inner, channels]
        return try Tensor.buildRows(shape, of: Float.self, rows: outer * count, work: shape.count * 10) { rows, out in
            for row in rows {
                let (o, i) = row.quotientAndRemainder(dividingBy: count)
                for k in 0..<inner {
                    let a = ((o * length + taps.first[i]) * inner + k) * channels
                    let b = ((o * length + taps.second[i]) * inner + k) * channels
                    let to = ((row - rows.lowerBound) * inner + k) * channels
                    slerp(source, a, b, channels, taps.fraction[i], &out, to)
                }
            }
        }
    }
}

/// The vector a fraction `r` of the way from the one at `a` to the one at `b`.
///
/// In float64: between almost opposite vectors float32 loses digits (the reference itself is 2e-6 off there).
private func slerp(
    _ source: Span<Float>, _ a: Int, _ b: Int, _ channels: Int, _ r: Float, _ out: inout MutableSpan<Float>, _ to: Int
) {
    var (squareA, squareB, product) = (0.0, 0.0, 0.0)
    for c in 0..<channels {
        let (x, y) = (Double(source[a + c]), Double(source[b + c]))
        squareA += x * x
        squareB += y * y
        product += x * y
    }
    let (lengthA, lengthB) = (squareA.squareRoot(), squareB.squareRoot())
    let (inverseA, inverseB) = (lengthA == 0 ? 0 : 1 / lengthA, lengthB == 0 ? 0 : 1 / lengthB)
    let cosine = product * inverseA * inverseB
    let r = Double(r)
    let (weightA, weightB): (Double, Double)
    if cosine > 1 - 1e-5 {
        (weightA, weightB) = (1, 0)
    } else if cosine < 1e-5 - 1 {
        (weightA, weightB) = (1 - r, r)
    } else {
        let omega = acos(cosine)
        let length = (lengthA * (1 - r) + lengthB * r) / sin(omega)
        weightA = sin((1 - r) * omega) * inverseA * length
        weightB = sin(r * omega) * inverseB * length
    }
    for c in 0..<channels {
        out[to + c] = Float(weightA * Double(source[a + c]) + weightB * Double(source[b + c]))
    }
}
