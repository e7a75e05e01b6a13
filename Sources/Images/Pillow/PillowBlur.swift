internal import Tensors

extension ByteImage {
    /// Pillow's GaussianBlur, to the byte: three passes of a box of fractional width along each axis, edge pixels
    /// repeated (`pack-nodes.md` §0).
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for a radius that is negative, not finite, or above 65536.
    public func gaussianBlurred(radius: Float) throws -> ByteImage {
        guard radius >= 0, radius <= 65536 else {
            throw ImageError(.invalidArgument, "a blur radius of \(radius) is not between 0 and 65536")
        }
        if radius == 0 { return self }
        let box = BlurBox(gaussian: radius, passes: 3)
        return try rowsBlurred(box, passes: 3).transposed().rowsBlurred(box, passes: 3).transposed()
    }

    private func rowsBlurred(_ box: BlurBox, passes: Int) throws -> ByteImage {
        let (width, channels) = (width, channels)
        let tensor = try withSamples { source in
            try Tensor.buildRows(
                [height, width, channels], of: UInt8.self, rows: height, work: height * width * channels * passes
            ) { rows, out in
                var line = [UInt8](repeating: 0, count: width)
                var result = line
                for row in rows {
                    let to = (row - rows.lowerBound) * width * channels
                    for channel in 0..<channels {
                        for x in 0..<width { line[x] = source[(row * width + x) * channels + channel] }
                        for _ in 0..<passes {
                            var target = result.mutableSpan
                            box.blur(line.span, &target)
                            swap(&line, &result)
                        }
                        for x in 0..<width { out[to + x * channels + channel] = line[x] }
                    }
                }
            }
        }
        return ByteImage(width: width, height: height, channels: channels, tensor: tensor)
    }

    /// Rows and columns exchanged, in narrow stripes so that both sides stay in the cache.
    private func transposed() throws -> ByteImage {
        let (width, height, channels) = (width, height, channels)
        let stripe = 16
        let tensor = try withSamples { source in
            try Tensor.buildRows(
                [width, height, channels], of: UInt8.self, rows: width, work: height * width * channels
            ) { columns, out in
                for first in stride(from: columns.lowerBound, to: columns.upperBound, by: stripe) {
                    let last = min(first + stripe, columns.upperBound)
                    for y in 0..<height {
                        for x in first..<last {
                            let from = (y * width + x) * channels
                            let to = ((x - columns.lowerBound) * height + y) * channels
                            for channel in 0..<channels { out[to + channel] = source[from + channel] }
                        }
                    }
                }
            }
        }
        return ByteImage(width: height, height: width, channels: channels, tensor: tensor)
    }
}

/// A box whose two outermost pixels count in part, with weights in units of 2⁻²⁴.
private struct BlurBox {
    /// Whole pixels to each side of the centre.
    let radius: Int
    let inner: UInt32
    let outer: UInt32

    /// The box whose repeated use has the variance radius² (P. Gwosdek et al., "Theoretical foundations of Gaussian
    /// convolution by extended box filtering", 2011); in float32, as Pillow computes it.
    init(gaussian radius: Float, passes: Int) {
        let variance = radius * radius / Float(passes)
        let length = Float((12 * Double(variance) + 1).squareRoot())
        let whole = ((length - 1) / 2).rounded(.down)
        let excess = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
        let width = whole + excess / (6 * (variance - (whole + 1) * (whole + 1)))
        self.radius = Int(width)
        let one: UInt32 = 1 << 24
        inner = UInt32(Float(one) / (width * 2 + 1))
        outer = (one &- UInt32(2 * self.radius + 1) &* inner) / 2
    }

    /// One pass over a line.
    func blur(_ line: Span<UInt8>, _ out: inout MutableSpan<UInt8>) {
        let last = line.count - 1
        // The sum over the whole pixels around position 0, of which those to the left all equal the first.
        var sum = UInt32(line[0]) &* UInt32(radius + 1)
        for x in 0..<min(radius, last) { sum &+= UInt32(line[x + 1]) }
        if radius > last { sum &+= UInt32(line[last]) &* UInt32(radius - last) }
        for x in 0...last {
            let before = UInt32(line[max(x - radius - 1, 0)])
            let after = UInt32(line[min(x + radius + 1, last)])
            let value = sum &* inner &+ (before &+ after) &* outer
            out[x] = UInt8(truncatingIfNeeded: (value &+ 1 << 23) >> 24)
            sum = sum &+ after &- UInt32(line[max(x - radius, 0)])
        }
    }
}
