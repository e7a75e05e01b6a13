import NodeKit
import Tensors

/// The mask `[…, height, width]` as `[n, 1, height, width]`.
///
/// - Throws: ``NodeError`` when it has no height and width.
func maskWithChannel(_ mask: Mask) throws -> Tensor {
    let tensor = try mask.tensor.asFloat32()
    let rank = tensor.shape.rank
    guard rank >= 2 else { throw NodeError("a mask needs height and width, found the shape \(tensor.shape)") }
    let (height, width) = (tensor.shape[rank - 2], tensor.shape[rank - 1])
    let count = Shape(tensor.shape.array.dropLast(2)).count
    return try tensor.reshaped([count, 1, height, width])
}
