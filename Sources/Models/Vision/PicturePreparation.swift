import Images
import Tensors

/// Pictures as image encoders take them (families-flux.md §11).
enum PicturePreparation {
    /// Resized (bicubic, antialiased), cut about the centre, rounded to bytes, normalised.
    ///
    /// - Parameters:
    ///   - image: `[batch, height, width, 3 or more]`, 0…1.
    ///   - crops: whether the shorter side is brought to the size and the rest cut off; otherwise both sides are.
    /// - Returns: `[batch, size, size, 3]`.
    static func prepared(_ image: Tensor, _ c: CLIPVisionConfiguration, crops: Bool) throws -> Tensor {
        guard image.shape.rank == 4, image.shape[3] >= 3, image.count > 0 else {
            throw TensorError(.shapeMismatch, "a picture must be [batch, height, width, 3], found \(image.shape)")
        }
        let size = c.imageSize
        let (height, width) = (image.shape[1], image.shape[2])
        var pixels = try image.slice(axis: 3, 0..<3).asFloat32()
        if height != size || width != size {
            let factor = Double(size) / Double(min(height, width))
            func side(_ length: Int) throws(TensorError) -> Int {
                guard crops else { return size }
                let scaled = (factor * Double(length)).rounded(.toNearestOrEven)
                guard scaled < 0x1p20 else {
                    throw TensorError(
                        .shapeMismatch, "a picture of \(width) × \(height) pixels is too long to be seen whole")
                }
                return max(size, Int(scaled))
            }
            pixels = try AntialiasedResize.bicubic(pixels, width: side(width), height: side(height))
            let (top, left) = ((pixels.shape[1] - size) / 2, (pixels.shape[2] - size) / 2)
            pixels = try pixels.slice(axis: 1, top..<top + size).slice(axis: 2, left..<left + size).asFloat32()
        }
        let (mean, deviation) = (c.mean, c.deviation)
        return try pixels.withElements(of: Float.self) { values in
            try Tensor.build(pixels.shape, of: Float.self) { out in
                for i in values.indices {
                    let byte = min(max(255 * values[i], 0), 255).rounded(.toNearestOrEven)
                    out[i] = (byte / 255 - mean[i % 3]) / deviation[i % 3]
                }
            }
        }
    }

    /// The pixels of every patch, ordered (channel, row, column): `[batch, grid², 3 · patch²]`.
    static func patches(_ pixels: Tensor, _ c: CLIPVisionConfiguration) throws -> Tensor {
        let (batch, size, p, grid) = (pixels.shape[0], pixels.shape[1], c.patch, c.grid)
        guard pixels.shape == [batch, size, size, 3], grid * p <= size else {
            throw TensorError(.shapeMismatch, "\(grid)² patches of \(p) pixels of \(pixels.shape)")
        }
        return try pixels.withElements(of: Float.self) { values in
            try Tensor.build([batch, grid * grid, 3 * p * p], of: Float.self) { out in
                var next = 0
                for item in 0..<batch {
                    for row in 0..<grid {
                        for column in 0..<grid {
                            for channel in 0..<3 {
                                for y in row * p..<(row + 1) * p {
                                    for x in column * p..<(column + 1) * p {
                                        out[next] = values[((item * size + y) * size + x) * 3 + channel]
                                        next += 1
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
