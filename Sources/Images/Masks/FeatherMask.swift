public import Tensors

/// Fades a mask `[batch, height, width]` out towards its edges over the given numbers of pixels.
///
/// The right side counts its columns from the end by −x with x from 0, and −0 is the **first** column: with a right
/// feather the first column is faded and the last is not. The same for the bottom. So does the reference
/// (`families-unet-sampling.md` §19).
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or a negative width.
public func featherMask(_ mask: Tensor, left: Int, top: Int, right: Int, bottom: Int) throws -> Tensor {
    guard min(left, top, right, bottom) >= 0 else {
        throw ImageError(.invalidArgument, "a feather of \(left), \(top), \(right), \(bottom) pixels is negative")
    }
    let planes = try maskPlanes(mask)
    let (height, width) = (planes.shape[1], planes.shape[2])
    let columns = edgeFactors(width, start: left, end: right)
    let rows = edgeFactors(height, start: top, end: bottom)
    return try planes.withElements(of: Float.self) { source in
        try Tensor.build(planes.shape, of: Float.self) { out in
            for i in out.indices {
                var value = source[i]
                for factor in columns[i % width] { value *= factor }
                for factor in rows[i / width % height] { value *= factor }
                out[i] = value
            }
        }
    }
}

/// The factors by which each position along an axis is multiplied, one after the other.
private func edgeFactors(_ length: Int, start: Int, end: Int) -> [[Float]] {
    var factors = [[Float]](repeating: [], count: length)
    let (start, end) = (min(start, length), min(end, length))
    for x in 0..<start { factors[x].append(Float(Double(x + 1) / Double(start))) }
    for x in 0..<end { factors[x == 0 ? 0 : length - x].append(Float(Double(x + 1) / Double(end))) }
    return factors
}
