import Diffusion
import Tensors

/// Noise masks: where a run may change the picture (spec: families-unet-sampling.md §11.2 and §18).
enum NoiseMask {
    /// A mask `[n, H, W]`, `[n, 1, H, W]` or `[H, W]` as `[n, 1, rows, columns]`, bilinear, not rounded.
    ///
    /// - Throws: ``SamplingError/Code/shape``.
    static func resized(_ mask: Tensor, rows: Int, columns: Int) throws -> Tensor {
        let shape = mask.shape
        let batch: Int
        switch shape.rank {
        case 2: batch = 1
        case 3: batch = shape[0]
        case 4 where shape[1] == 1: batch = shape[0]
        default:
            throw SamplingError(
                .shape, "a mask has the shape [batch, height, width] or [batch, 1, height, width]; found \(shape)")
        }
        let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
        guard batch > 0, height > 0, width > 0 else {
            throw SamplingError(.shape, "an empty mask of shape \(shape)")
        }
        let flat = try mask.asFloat32().reshaped([batch, 1, height, width])
        if height == rows && width == columns { return flat }
        let vertical = Self.positions(from: height, to: rows)
        let horizontal = Self.positions(from: width, to: columns)
        return try flat.withElements(of: Float.self) { source in
            try Tensor.build([batch, 1, rows, columns], of: Float.self) { out in
                var at = 0
                for item in 0..<batch {
                    let base = item * height * width
                    for row in vertical {
                        let (upper, lower) = (base + row.first * width, base + row.second * width)
                        for column in horizontal {
                            let above =
                                (1 - column.part) * source[upper + column.first]
                                + column.part * source[upper + column.second]
                            let below =
                                (1 - column.part) * source[lower + column.first]
                                + column.part * source[lower + column.second]
                            out[at] = (1 - row.part) * above + row.part * below
                            at += 1
                        }
                    }
                }
            }
        }
    }

    /// The two neighbours of each output position along an axis and the second one's weight.
    private static func positions(from: Int, to: Int) -> [(first: Int, second: Int, part: Float)] {
        let scale = Float(from) / Float(to)
        return (0..<to).map { index in
            let position = max((Float(index) + 0.5) * scale - 0.5, 0)
            let first = min(Int(position), from - 1)
            return (first, min(first + 1, from - 1), position - Float(first))
        }
    }

    /// A mask `[n, 1, h, w]` for every channel and item of a latent, cycling.
    static func spread(_ mask: Tensor, to shape: Shape) throws -> Tensor {
        let items = try HostMath.cycleBatch(mask, to: shape[0])
        return try HostMath.concatenate([Tensor](repeating: items, count: shape[1]), axis: 1)
    }
}
