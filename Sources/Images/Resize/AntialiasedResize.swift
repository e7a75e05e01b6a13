public import Tensors

/// Bicubic resampling in float32 whose kernel widens when a side shrinks, as torch's `interpolate(…, antialias=True)`:
/// cubic convolution with a = −0.5.
public enum AntialiasedResize {
    /// - Parameter image: `[batch, height, width, channels]`.
    /// - Throws: ``TensorError/Code/shapeMismatch`` for another rank, an empty picture or a size out of range.
    public static func bicubic(_ image: Tensor, width: Int, height: Int) throws -> Tensor {
        let sides = 1...1 << 20
        guard image.shape.rank == 4, image.count > 0, sides.contains(width), sides.contains(height),
            let count = Shape.checkedCount([image.shape[0], width, height, image.shape[3]]), count <= 1 << 36
        else {
            throw TensorError(
                .shapeMismatch, "cannot resize pictures of the shape \(image.shape) to \(width)×\(height) pixels")
        }
        let (batch, oldHeight, oldWidth, channels) = (
            image.shape[0], image.shape[1], image.shape[2], image.shape[3]
        )
        let wide = try along(
            image.asFloat32(), outer: batch * oldHeight, length: oldWidth, inner: channels, Taps(oldWidth, width))
        return try along(wide, outer: batch, length: oldHeight, inner: width * channels, Taps(oldHeight, height))
            .reshaped([batch, height, width, channels])
    }

    /// Which positions make an output position, and how much each counts.
    private struct Taps {
        var first: [Int] = []
        var weights: [[Float]] = []

        init(_ input: Int, _ output: Int) {
            let scale = Double(input) / Double(output)
            let stretch = max(scale, 1)
            for i in 0..<output {
                let center = scale * (Double(i) + 0.5)
                let low = max(Int(center - 2 * stretch + 0.5), 0)
                let high = min(Int(center + 2 * stretch + 0.5), input)
                let taps = (low..<max(high, low)).map { Self.weight((Double($0) - center + 0.5) / stretch) }
                let sum = taps.reduce(0, +)
                first.append(low)
                weights.append(taps.map { Float(sum == 0 ? $0 : $0 / sum) })
            }
        }

        private static func weight(_ x: Double) -> Double {
            let (x, a) = (abs(x), -0.5)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        }
    }

    private static func along(_ x: Tensor, outer: Int, length: Int, inner: Int, _ taps: Taps) throws -> Tensor {
        if taps.first.count == length { return try x.reshaped([outer, length, inner]) }
        return try x.withElements(of: Float.self) { source in
            try Tensor.build([outer, taps.first.count, inner], of: Float.self) { out in
                for o in 0..<outer {
                    for i in taps.first.indices {
                        let to = (o * taps.first.count + i) * inner
                        for k in 0..<inner { out[to + k] = 0 }
                        for (offset, weight) in taps.weights[i].enumerated() {
                            let from = (o * length + taps.first[i] + offset) * inner
                            for k in 0..<inner { out[to + k] += weight * source[from + k] }
                        }
                    }
                }
            }
        }
    }
}
