public import Tensors

/// Cutting latents into tokens and back.
public enum Patches {
    /// 2 × 2 patches of a latent, rows of the grid first; a token's numbers are ordered (channel, row, column). Odd sizes
    /// are padded circularly at the bottom and right.
    ///
    /// - Parameter x: `[batch, channels, h, w]`, float32.
    /// - Returns: `[batch, ⌈h/2⌉·⌈w/2⌉, 4·channels]`.
    public static func cut(_ x: Tensor) throws -> Tensor {
        let (batch, channels, height, width) = try dimensions(x)
        let rows = (height + 1) / 2
        let columns = (width + 1) / 2
        let x = try x.asFloat32()
        return try x.withElements(of: Float.self) { input in
            try Tensor.build([batch, rows * columns, 4 * channels], of: Float.self) { out in
                for b in 0..<batch {
                    for c in 0..<channels {
                        let plane = (b * channels + c) * height * width
                        for row in 0..<rows {
                            for column in 0..<columns {
                                let token = ((b * rows + row) * columns + column) * 4 * channels + 4 * c
                                for dy in 0..<2 {
                                    let y = (2 * row + dy) % height
                                    for dx in 0..<2 {
                                        out[token + 2 * dy + dx] = input[plane + y * width + (2 * column + dx) % width]
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// How the numbers of a token are ordered.
    public enum Order: Sendable, Hashable {
        /// (channel, row, column)
        case channelFirst
        /// (row, column, channel)
        case channelLast
    }

    /// The inverse of ``cut(_:)``, or the same for tokens of another order; what was padded is dropped.
    ///
    /// - Parameter tokens: `[batch, ⌈h/2⌉·⌈w/2⌉, 4·channels]`, float32.
    /// - Returns: `[batch, channels, height, width]`.
    public static func join(
        _ tokens: Tensor, channels: Int, height: Int, width: Int, order: Order = .channelFirst
    ) throws -> Tensor {
        let rows = (height + 1) / 2
        let columns = (width + 1) / 2
        let batch = tokens.shape[0]
        guard tokens.shape == [batch, rows * columns, 4 * channels] else {
            throw TensorError(
                .shapeMismatch,
                "tokens \(tokens.shape) do not make a latent of \(channels) channels, \(height) × \(width)")
        }
        let (perChannel, perPixel) = order == .channelFirst ? (4, 1) : (1, channels)
        return try tokens.asFloat32().withElements(of: Float.self) { input in
            try Tensor.build([batch, channels, height, width], of: Float.self) { out in
                for b in 0..<batch {
                    for c in 0..<channels {
                        for y in 0..<height {
                            for x in 0..<width {
                                let token = ((b * rows + y / 2) * columns + x / 2) * 4 * channels
                                out[((b * channels + c) * height + y) * width + x] =
                                    input[token + perChannel * c + perPixel * (2 * (y % 2) + x % 2)]
                            }
                        }
                    }
                }
            }
        }
    }

    private static func dimensions(_ x: Tensor) throws -> (Int, Int, Int, Int) {
        guard x.shape.rank == 4, x.shape[2] > 0, x.shape[3] > 0 else {
            throw TensorError(.shapeMismatch, "a latent must be [batch, channels, h, w], found \(x.shape)")
        }
        return (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    }
}
