internal import Glibc
public import Tensors

/// Edges after J. Canny, "A computational approach to edge detection" (1986), with the choices of kornia 0.8, which the
/// node Canny of the reference calls: luminance, a 5×5 Gaussian of σ 1 (mirrored borders), Sobel gradients that are not
/// normalised (repeated borders), strict maxima along the nearest of eight directions, hysteresis over eight neighbours.
///
/// - Parameters:
///   - image: `[batch, height, width, channels]`; RGB, RGB with alpha (ignored) or grey.
///   - low: weak edges, kept where a chain of them leads to one above `high`; in units of the gradient, 0 < low ≤ high.
/// - Returns: `[batch, height, width, 3]` of 0 and 1.
/// - Throws: ``ImageError/Code/invalidArgument``.
public func cannyEdges(_ image: Tensor, low: Float, high: Float) throws -> Tensor {
    let pixels = try imagePixels(image)
    guard low > 0, low <= high, high < 1 else {
        throw ImageError(
            .invalidArgument,
            "the Canny thresholds \(low) and \(high) do not fit; expected 0 < low_threshold ≤ high_threshold < 1")
    }
    let (batch, height, width) = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
    let channels = pixels.shape[3]
    guard channels != 2 else {
        throw ImageError(.invalidArgument, "Canny takes grey, RGB or RGBA pictures, found \(channels) channels")
    }
    return try pixels.withElements(of: Float.self) { source in
        try Tensor.buildRows(
            [batch, height, width, 3], of: Float.self, rows: batch, work: pixels.count * 30
        ) { items, out in
            for item in items {
                let start = item * height * width * channels
                var plane = EdgePlane(
                    luminance(source.extracting(start..<start + height * width * channels), channels), width, height)
                plane.blur()
                let edges = plane.edges(low: low, high: high)
                let to = (item - items.lowerBound) * height * width * 3
                for i in 0..<height * width {
                    for channel in 0..<3 { out[to + 3 * i + channel] = edges[i] ? 1 : 0 }
                }
            }
        }
    }
}

private func luminance(_ pixels: Span<Float>, _ channels: Int) -> [Float] {
    (0..<pixels.count / channels).map { i in
        if channels == 1 { return pixels[i] }
        let at = i * channels
        return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]
    }
}

/// One grey picture on its way to edges.
private struct EdgePlane {
    private var values: [Float]
    private let width: Int
    private let height: Int

    init(_ values: [Float], _ width: Int, _ height: Int) {
        self.values = values
        self.width = width
        self.height = height
    }

    /// A Gaussian of σ 1 over five pixels along both axes.
    mutating func blur() {
        let weights = (-2...2).map { exp(-Float($0 * $0) / 2) }
        let sum = weights.reduce(0, +)
        let kernel = weights.map { $0 / sum }
        var wide = values
        for y in 0..<height {
            for x in 0..<width {
                wide[y * width + x] = (-2...2).reduce(0) {
                    $0 + kernel[$1 + 2] * values[y * width + mirrored(x + $1, width)]
                }
            }
        }
        for y in 0..<height {
            for x in 0..<width {
                values[y * width + x] = (-2...2).reduce(0) {
                    $0 + kernel[$1 + 2] * wide[mirrored(y + $1, height) * width + x]
                }
            }
        }
    }

    /// Which pixels are edges.
    func edges(low: Float, high: Float) -> [Bool] {
        var magnitude = [Float](repeating: 0, count: values.count)
        var direction = [Int](repeating: 0, count: values.count)
        for y in 0..<height {
            for x in 0..<width {
                let (gx, gy) = gradient(x, y)
                magnitude[y * width + x] = (gx * gx + gy * gy + 1e-6).squareRoot()
                let eighth = (atan2(gy, gx) * Float(4 / Double.pi)).rounded(.toNearestOrEven)
                direction[y * width + x] = eighth.isNaN ? 0 : (Int(eighth) + 8) % 8
            }
        }
        // Counted from +x towards +y in steps of 45°.
        let steps = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
        func strength(_ x: Int, _ y: Int) -> Float {
            x >= 0 && y >= 0 && x < width && y < height ? magnitude[y * width + x] : 0
        }
        var isWeak = [Bool](repeating: false, count: values.count)
        var isEdge = isWeak
        var open: [Int] = []
        for y in 0..<height {
            for x in 0..<width {
                let i = y * width + x
                let (dx, dy) = steps[direction[i]]
                guard magnitude[i] > strength(x + dx, y + dy), magnitude[i] > strength(x - dx, y - dy) else { continue }
                isWeak[i] = magnitude[i] > low
                if magnitude[i] > high {
                    isEdge[i] = true
                    open.append(i)
                }
            }
        }
        while let i = open.popLast() {
            for (dx, dy) in steps {
                let (x, y) = (i % width + dx, i / width + dy)
                guard x >= 0, y >= 0, x < width, y < height else { continue }
                let next = y * width + x
                if isWeak[next] && !isEdge[next] {
                    isEdge[next] = true
                    open.append(next)
                }
            }
        }
        return isEdge
    }

    private func gradient(_ x: Int, _ y: Int) -> (Float, Float) {
        let (left, right) = (max(x - 1, 0), min(x + 1, width - 1))
        let rows = [max(y - 1, 0), y, min(y + 1, height - 1)].map { $0 * width }
        let (a, b, c) = (values[rows[0] + left], values[rows[0] + x], values[rows[0] + right])
        let (d, f) = (values[rows[1] + left], values[rows[1] + right])
        let (g, h, i) = (values[rows[2] + left], values[rows[2] + x], values[rows[2] + right])
        return (-a + c - 2 * d + 2 * f - g + i, -a - 2 * b - c + g + 2 * h + i)
    }
}

/// A position outside mirrored into the line, without repeating its ends; clamped for lines too short for that.
private func mirrored(_ x: Int, _ length: Int) -> Int {
    let x = abs(x)
    return max(x < length ? x : min(2 * (length - 1) - x, length - 1), 0)
}
