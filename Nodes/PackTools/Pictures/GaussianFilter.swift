import Glibc
public import Tensors

/// A true Gaussian blur, in float32, along both axes of pictures `[batch, height, width, channels]`.
public struct GaussianFilter: Sendable {
    /// What stands outside a picture.
    public enum Edge: Sendable {
        /// The picture mirrored at its outermost pixels, which are not repeated: c b | a b c (torch "reflect").
        case mirror
        /// The picture mirrored at its edge, outermost pixels repeated: b a | a b c (scipy "reflect").
        case symmetric
    }

    private let weights: [Float]
    private let edge: Edge

    /// - Parameters:
    ///   - radius: pixels on each side of the centre.
    ///   - sigma: standard deviation in pixels; 0 or less blurs nothing.
    public init(radius: Int, sigma: Double, edge: Edge) {
        self.edge = edge
        guard radius > 0, sigma > 0 else {
            weights = [1]
            return
        }
        let values = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let sum = values.reduce(0, +)
        weights = values.map { Float($0 / sum) }
    }

    /// - Throws: ``TensorError/Code/shapeMismatch`` for another rank.
    public func callAsFunction(_ image: Tensor) throws -> Tensor {
        guard image.shape.rank == 4 else {
            throw TensorError(
                .shapeMismatch, "pictures have the shape [batch, height, width, channels], found \(image.shape)")
        }
        if weights.count == 1 || image.count == 0 { return image }
        let (batch, height, width, channels) = (image.shape[0], image.shape[1], image.shape[2], image.shape[3])
        let wide = try along(image.asFloat32(), outer: batch * height, length: width, inner: channels)
        return try along(wide, outer: batch, length: height, inner: width * channels).reshaped(image.shape)
    }

    private func along(_ x: Tensor, outer: Int, length: Int, inner: Int) throws -> Tensor {
        let radius = weights.count / 2
        // The position of every tap, worked out once per line position.
        let taps = (-radius..<length + radius).map { position($0, length) }
        return try x.withElements(of: Float.self) { source in
            try Tensor.build([outer, length, inner], of: Float.self) { out in
                for o in 0..<outer {
                    for i in 0..<length {
                        let to = (o * length + i) * inner
                        for k in 0..<inner { out[to + k] = 0 }
                        for (offset, weight) in weights.enumerated() {
                            let from = (o * length + taps[i + offset]) * inner
                            for k in 0..<inner { out[to + k] += weight * source[from + k] }
                        }
                    }
                }
            }
        }
    }

    /// A position outside brought inside; also when the radius is longer than the line.
    private func position(_ i: Int, _ length: Int) -> Int {
        if length == 1 { return 0 }
        let period = edge == .mirror ? 2 * (length - 1) : 2 * length
        let within = ((i % period) + period) % period
        if within < length { return within }
        return edge == .mirror ? period - within : period - 1 - within
    }
}
