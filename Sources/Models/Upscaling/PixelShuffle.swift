import Tensors

/// Rearrangements between pixels and channels of pictures `[1, height, width, channels]` in host memory, with the channel
/// order of torch: channel · r² + row · r + column (Shi et al. 2016, "sub-pixel convolution").
enum PixelShuffle {
    /// Squares of `factor`² pixels become channels; height and width must be multiples of `factor`.
    static func gather(_ x: Tensor, factor r: Int) throws -> Tensor {
        guard x.shape.rank == 4, x.shape[0] == 1, r > 0, x.shape[1] % r == 0, x.shape[2] % r == 0 else {
            throw TensorError(.shapeMismatch, "pixel unshuffle by \(r) of \(x.shape)")
        }
        let (height, width, channels) = (x.shape[1] / r, x.shape[2] / r, x.shape[3])
        return try x.asFloat32().withElements(of: Float.self) { pixels in
            try Tensor.build([1, height, width, channels * r * r], of: Float.self) { out in
                var next = 0
                for y in 0..<height {
                    for x in 0..<width {
                        for c in 0..<channels {
                            for i in 0..<r {
                                for j in 0..<r {
                                    out[next] = pixels[((y * r + i) * width * r + x * r + j) * channels + c]
                                    next += 1
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Channels become squares of `factor`² pixels; their number must be a multiple of `factor`².
    static func spread(_ x: Tensor, factor r: Int) throws -> Tensor {
        guard x.shape.rank == 4, x.shape[0] == 1, r > 0, x.shape[3] % (r * r) == 0 else {
            throw TensorError(.shapeMismatch, "pixel shuffle by \(r) of \(x.shape)")
        }
        let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3] / (r * r))
        return try x.asFloat32().withElements(of: Float.self) { values in
            try Tensor.build([1, height * r, width * r, channels], of: Float.self) { out in
                var next = 0
                for y in 0..<height * r {
                    for x in 0..<width * r {
                        let pixel = (y / r * width + x / r) * channels * r * r + y % r * r + x % r
                        for c in 0..<channels {
                            out[next] = values[pixel + c * r * r]
                            next += 1
                        }
                    }
                }
            }
        }
    }

    /// The picture with mirrored rows and columns (the edge not repeated) added below and on the right, so that both sides
    /// are multiples of `multiple` and at least `least`. A side too short to be mirrored repeats its edge.
    static func padded(_ x: Tensor, multiple: Int, least: Int) throws -> Tensor {
        func target(_ side: Int) -> Int { (max(side, least) + multiple - 1) / multiple * multiple }
        let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
        let (tall, wide) = (target(height), target(width))
        if tall == height, wide == width { return x }
        func source(_ position: Int, _ side: Int) -> Int {
            position < side ? position : max(0, min(side - 1, 2 * side - 2 - position))
        }
        return try x.asFloat32().withElements(of: Float.self) { pixels in
            try Tensor.build([1, tall, wide, channels], of: Float.self) { out in
                for y in 0..<tall {
                    for x in 0..<wide {
                        let from = (source(y, height) * width + source(x, width)) * channels
                        for c in 0..<channels { out[(y * wide + x) * channels + c] = pixels[from + c] }
                    }
                }
            }
        }
    }
}
