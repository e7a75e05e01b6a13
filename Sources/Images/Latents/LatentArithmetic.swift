public import Tensors

/// A latent `[batch, channels, h, w]` brought to the size and batch of another: resized with a centre crop, its batch
/// cycled or cut.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for other ranks and different numbers of channels.
public func fittedLatent(_ latent: Tensor, to shape: Shape, method: ResizeMethod = .bilinear) throws -> Tensor {
    guard latent.shape.rank == 4, shape.rank == 4, latent.shape[1] == shape[1], shape.count > 0 else {
        throw ImageError(
            .invalidArgument,
            "latents [batch, channels, height, width] with equal channels can be combined, found \(shape) and "
                + "\(latent.shape)")
    }
    let isFitting = latent.shape[2] == shape[2] && latent.shape[3] == shape[3]
    let resized =
        isFitting ? latent : try commonUpscale(latent, width: shape[3], height: shape[2], method: method, crop: .center)
    return try HostMath.cycleBatch(resized, to: shape[0]).asFloat32()
}

/// Between two latents of one shape: directions and lengths of the channel vectors are interpolated apart
/// (LatentInterpolate).
///
/// - Parameter ratio: share of the first.
/// - Throws: ``ImageError/Code/invalidArgument`` for other shapes.
public func interpolateLatents(_ first: Tensor, _ second: Tensor, ratio: Double) throws -> Tensor {
    guard first.shape == second.shape, first.shape.rank == 4 else {
        throw ImageError(
            .invalidArgument, "latents of one shape can be interpolated, found \(first.shape) and \(second.shape)")
    }
    let (a, b) = (try first.asFloat32(), try second.asFloat32())
    let channels = a.shape[1]
    let plane = a.shape[2] * a.shape[3]
    let (share, rest) = (Float(ratio), Float(1 - ratio))
    return try a.withElements(of: Float.self) { a in
        try b.withElements(of: Float.self) { b in
            try Tensor.build(first.shape, of: Float.self) { out in
                for item in 0..<first.shape[0] {
                    for place in 0..<plane {
                        let start = item * channels * plane + place
                        func length(_ value: (Int) -> Float) -> Float {
                            var sum: Float = 0
                            for c in 0..<channels { sum += value(start + c * plane) * value(start + c * plane) }
                            return sum.squareRoot()
                        }
                        let (lengthA, lengthB) = (length { a[$0] }, length { b[$0] })
                        // A vector of length 0 has no direction and counts as 0.
                        func direction(_ i: Int) -> Float {
                            (lengthA > 0 ? a[i] / lengthA : 0) * share + (lengthB > 0 ? b[i] / lengthB : 0) * rest
                        }
                        let mixed = length(direction)
                        let scale = mixed > 0 ? (lengthA * share + lengthB * rest) / mixed : 0
                        for c in 0..<channels { out[start + c * plane] = direction(start + c * plane) * scale }
                    }
                }
            }
        }
    }
}

/// The part of a latent that stays on another when put at (`x`, `y`), and a mask that fades it out over `feather` cells
/// at the sides that lie inside (LatentComposite). All numbers count latent cells.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when nothing of it would be seen.
public func featheredPatch(
    _ source: Tensor, on destination: Shape, x: Int, y: Int, feather: Int
) throws -> (latent: Tensor, mask: Tensor) {
    guard source.shape.rank == 4, destination.rank == 4, x >= 0, y >= 0, x < destination[3], y < destination[2],
        feather >= 0, source.count > 0
    else {
        throw ImageError(
            .invalidArgument,
            "a latent \(source.shape) put at (\(x), \(y)) does not touch the one of shape \(destination)")
    }
    let (height, width) = (min(source.shape[2], destination[2] - y), min(source.shape[3], destination[3] - x))
    let patch = try source.slice(axis: 2, 0..<height).slice(axis: 3, 0..<width).asFloat32()
    func factors(_ length: Int, startsInside: Bool, endsInside: Bool) -> [Float] {
        var factors = [Float](repeating: 1, count: length)
        for t in 0..<min(feather, length) {
            let factor = 1 / Float(feather) * Float(t + 1)
            if startsInside { factors[t] *= factor }
            if endsInside { factors[length - 1 - t] *= factor }
        }
        return factors
    }
    let rows = factors(height, startsInside: y != 0, endsInside: y + height < destination[2])
    let columns = factors(width, startsInside: x != 0, endsInside: x + width < destination[3])
    let mask = try Tensor.build([1, height, width], of: Float.self) { out in
        for i in out.indices { out[i] = rows[i / width] * columns[i % width] }
    }
    return (patch, mask)
}
