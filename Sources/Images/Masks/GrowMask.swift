public import Tensors

/// Dilates (`count` > 0) or erodes (`count` < 0) a mask |count| times by a 3×3 element: a plus sign when `tapered`,
/// else a full square (`families-unet-sampling.md` §19, GrowMask).
///
/// - Parameter mask: `[batch, height, width]`.
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank.
public func growMask(_ mask: Tensor, by count: Int, tapered: Bool) throws -> Tensor {
    let element: DilationElement = tapered ? .diamond : .square
    if count >= 0 { return try dilated(mask, radius: count, element) }
    return try eroded(mask, radius: count == .min ? .max : -count, element)
}
