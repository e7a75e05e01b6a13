public import Tensors

/// How ImageBlend mixes two pictures; the raw values are the names in workflows.
public enum BlendMode: String, Sendable, Hashable, CaseIterable {
    case normal, multiply, screen, overlay
    case softLight = "soft_light"
    case difference

    func blend(_ a: Float, _ b: Float) -> Float {
        switch self {
        case .normal: return b
        case .multiply: return a * b
        case .screen: return 1 - (1 - a) * (1 - b)
        case .overlay: return a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b)
        case .softLight:
            if b <= 0.5 { return a - (1 - 2 * b) * a * (1 - a) }
            let curve = a <= 0.25 ? ((16 * a - 12) * a + 4) * a : a.squareRoot()
            return a + (2 * b - 1) * (curve - a)
        case .difference: return a - b
        }
    }
}

/// first·(1 − factor) + blend(first, second)·factor, clamped to 0…1 (`families-unet-sampling.md` §19).
///
/// - Parameters: pictures `[batch, height, width, channels]`; the second is brought to the first's size (bicubic, centre
///   crop) and channels, and its batch cycled.
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank.
public func blendImages(_ first: Tensor, _ second: Tensor, factor: Double, _ mode: BlendMode) throws -> Tensor {
    let a = try imagePixels(first)
    var b = try withChannels(imagePixels(second), a.shape[3])
    if b.shape[1] != a.shape[1] || b.shape[2] != a.shape[2] {
        b = try resizeImage(b, width: a.shape[2], height: a.shape[1], method: .bicubic, crop: .center)
    }
    b = try HostMath.cycleBatch(b, to: a.shape[0])
    let (new, old) = (Float(factor), Float(1 - factor))
    return try HostMath.zip(a, b) { min(max($0 * old + mode.blend($0, $1) * new, 0), 1) }
}
