internal import Tensors

extension ByteImage {
    /// The picture in another size, to the byte as Pillow 13 makes it: kernels stretched when a side shrinks, each axis
    /// rounded to bytes, alpha multiplied in during the work.
    ///
    /// - Throws: ``ImageError/Code/invalidArgument`` for an empty size, ``ImageError/Code/outOfMemory``.
    public func resized(width newWidth: Int, height newHeight: Int, _ filter: PillowFilter) throws -> ByteImage {
        guard isReasonable(width: newWidth, height: newHeight, planes: channels) else {
            throw ImageError(
                .invalidArgument,
                "cannot resize to \(newWidth)×\(newHeight) pixels; both sides must be positive and below a million")
        }
        if newWidth == width && newHeight == height { return self }
        if filter == .nearest { return try nearest(newWidth, newHeight) }
        if channels == 2 || channels == 4 {
            return try premultiplied().filtered(newWidth, newHeight, filter).unpremultiplied()
        }
        return try filtered(newWidth, newHeight, filter)
    }

    /// Both axes; the height first when it shrinks much more than the width, which saves work (Pillow 13).
    private func filtered(_ newWidth: Int, _ newHeight: Int, _ filter: PillowFilter) throws -> ByteImage {
        let heightFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
        if heightFirst { return try columns(newHeight, filter).rows(newWidth, filter) }
        return try rows(newWidth, filter).columns(newHeight, filter)
    }

    /// Every row in another width.
    private func rows(_ newWidth: Int, _ filter: PillowFilter) throws -> ByteImage {
        if newWidth == width { return self }
        let taps = PillowTaps(filter, from: width, to: newWidth)
        let tensor = try withSamples { source in
            try Tensor.buildRows(
                [height, newWidth, channels], of: UInt8.self, rows: height, work: height * channels * taps.weights.count
            ) { rows, out in
                let weights = taps.weights.span
                for row in rows {
                    let from = row * width * channels
                    let to = (row - rows.lowerBound) * newWidth * channels
                    for i in 0..<newWidth {
                        let (start, end) = (taps.starts[i], taps.starts[i + 1])
                        for channel in 0..<channels {
                            var sum: Int32 = 1 << (PillowTaps.precision - 1)
                            var at = from + taps.first[i] * channels + channel
                            for tap in start..<end {
                                sum &+= Int32(source[at]) &* weights[tap]
                                at += channels
                            }
                            out[to + i * channels + channel] = clippedByte(sum)
                        }
                    }
                }
            }
        }
        return ByteImage(width: newWidth, height: height, channels: channels, tensor: tensor)
    }

    /// Every column in another height.
    private func columns(_ newHeight: Int, _ filter: PillowFilter) throws -> ByteImage {
        if newHeight == height { return self }
        let taps = PillowTaps(filter, from: height, to: newHeight)
        let stride = width * channels
        let tensor = try withSamples { source in
            try Tensor.buildRows(
                [newHeight, width, channels], of: UInt8.self, rows: newHeight, work: stride * taps.weights.count
            ) { rows, out in
                var sums = [Int32](repeating: 0, count: stride)
                for row in rows {
                    for k in 0..<stride { sums[k] = 1 << (PillowTaps.precision - 1) }
                    for (offset, tap) in (taps.starts[row]..<taps.starts[row + 1]).enumerated() {
                        let start = (taps.first[row] + offset) * stride
                        let line = source.extracting(start..<start + stride)
                        let weight = taps.weights[tap]
                        for k in 0..<stride { sums[k] &+= Int32(line[k]) &* weight }
                    }
                    let to = (row - rows.lowerBound) * stride
                    for k in 0..<stride { out[to + k] = clippedByte(sums[k]) }
                }
            }
        }
        return ByteImage(width: width, height: newHeight, channels: channels, tensor: tensor)
    }

    private func nearest(_ newWidth: Int, _ newHeight: Int) throws -> ByteImage {
        let columns = Self.nearestPositions(from: width, to: newWidth)
        let rows = Self.nearestPositions(from: height, to: newHeight)
        return try withSamples { source in
            try ByteImage(width: newWidth, height: newHeight, channels: channels) { out in
                var to = 0
                for row in rows {
                    for column in columns {
                        let from = (row * width + column) * channels
                        for channel in 0..<channels { out[to + channel] = source[from + channel] }
                        to += channels
                    }
                }
            }
        }
    }

    /// Pillow adds up the step, so rounding errors accumulate; they decide between neighbours now and then.
    private static func nearestPositions(from input: Int, to output: Int) -> [Int] {
        let step = Double(input) / Double(output)
        var position = step * 0.5
        return (0..<output).map { _ in
            defer { position += step }
            return min(Int(position), input - 1)
        }
    }

    /// Colours multiplied by alpha, which is the last channel.
    private func premultiplied() throws -> ByteImage {
        try mapPixels { colour, alpha in roundedDivision255(Int(colour) * Int(alpha)) }
    }

    private func unpremultiplied() throws -> ByteImage {
        try mapPixels { colour, alpha in
            alpha == 0 || alpha == 255 ? colour : UInt8(min(255 * Int(colour) / Int(alpha), 255))
        }
    }

    private func mapPixels(_ body: (UInt8, UInt8) -> UInt8) throws -> ByteImage {
        try withSamples { source in
            try ByteImage(width: width, height: height, channels: channels) { out in
                for start in stride(from: 0, to: source.count, by: channels) {
                    let alpha = source[start + channels - 1]
                    for channel in 0..<channels - 1 { out[start + channel] = body(source[start + channel], alpha) }
                    out[start + channels - 1] = alpha
                }
            }
        }
    }
}

@inline(__always)
private func clippedByte(_ sum: Int32) -> UInt8 { UInt8(max(0, min(255, sum >> Int32(PillowTaps.precision)))) }
