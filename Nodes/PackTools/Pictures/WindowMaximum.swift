public import Tensors

/// The largest value in a window around every pixel; the outside of the picture takes no part.
public enum WindowMaximum {
    /// A window of `side` × `side` pixels. With an even side it reaches one pixel farther down and right, so that marks
    /// grow one pixel more up and left, as in scipy.
    ///
    /// - Parameter mask: `[batch, height, width]`.
    /// - Throws: ``TensorError/Code/shapeMismatch`` for another rank or a side below 1.
    public static func square(_ mask: Tensor, side: Int) throws -> Tensor {
        guard mask.shape.rank == 3, side >= 1 else {
            throw TensorError(.shapeMismatch, "a window of \(side) pixels over a mask of the shape \(mask.shape)")
        }
        let (batch, height, width) = (mask.shape[0], mask.shape[1], mask.shape[2])
        let wide = try along(mask.asFloat32(), outer: batch * height, length: width, inner: 1, side)
        return try along(wide, outer: batch, length: height, inner: width, side).reshaped(mask.shape)
    }

    /// The windows of a line by van Herk's method: maxima from both ends of blocks of the window's length, so that the
    /// work does not grow with the window.
    private static func along(_ x: Tensor, outer: Int, length: Int, inner: Int, _ side: Int) throws -> Tensor {
        let before = min((side - 1) / 2, length)
        let behind = min(side - 1 - (side - 1) / 2, length)
        let window = before + behind + 1
        let total = length + before + behind
        return try x.withElements(of: Float.self) { source in
            try Tensor.build([outer, length, inner], of: Float.self) { out in
                var forward = [Float](repeating: -.infinity, count: total)
                var backward = forward
                for o in 0..<outer {
                    for k in 0..<inner {
                        func value(_ i: Int) -> Float {
                            let inside = i - before
                            return (0..<length).contains(inside)
                                ? source[(o * length + inside) * inner + k] : -.infinity
                        }
                        for i in 0..<total {
                            forward[i] = i % window == 0 ? value(i) : larger(forward[i - 1], value(i))
                        }
                        for i in stride(from: total - 1, through: 0, by: -1) {
                            let isLast = i == total - 1 || (i + 1) % window == 0
                            backward[i] = isLast ? value(i) : larger(backward[i + 1], value(i))
                        }
                        for i in 0..<length {
                            out[(o * length + i) * inner + k] = larger(backward[i], forward[i + window - 1])
                        }
                    }
                }
            }
        }
    }

    private static func larger(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
}
