public import Tensors

/// The settings of the node GrowMaskWithBlur (`pack-nodes.md` §1).
public struct MaskGrowth: Sendable, Hashable {
    /// How often the first frame is dilated (> 0) or eroded (< 0).
    public var expand = 0
    /// By how much that number grows, away from zero, from frame to frame.
    public var incrementalExpandRate = 0.0
    /// A plus sign instead of a square as the element.
    public var taperedCorners = true
    /// Start from 1 − mask.
    public var flipInput = false
    /// Radius of Pillow's Gaussian blur; 0 leaves the values unquantised.
    public var blurRadius = 0.0
    /// Share of a frame in the mixture with the result before it.
    public var lerpAlpha = 1.0
    /// Share of the result before it that is added to a frame, which is then divided by its maximum.
    public var decayFactor = 1.0
    /// Make every frame 0 or 1 and fill enclosed holes.
    public var fillHoles = false

    public init() {}
}

/// Grows, fills, mixes and blurs the frames of a mask `[frames, height, width]`, in this order.
///
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or a blur radius outside 0…65536.
public func growMaskWithBlur(_ mask: Tensor, _ growth: MaskGrowth) throws -> Tensor {
    let planes = try growth.flipInput ? invertMask(maskPlanes(mask)) : maskPlanes(mask)
    var results: [Tensor] = []
    var expand = Double(growth.expand)
    var previous: Tensor?
    for item in 0..<planes.shape[0] {
        var frame = try planes.slice(axis: 0, item..<item + 1)
        // Beyond a million pixels nothing changes any more, and the conversion to Int stays safe.
        let count = expand.isNaN ? 0 : Int(min(max(expand.rounded(.toNearestOrEven), -1e6), 1e6))
        frame = try growMask(frame, by: growth.expand < 0 ? -abs(count) : abs(count), tapered: growth.taperedCorners)
        expand += growth.expand < 0 ? -abs(growth.incrementalExpandRate) : abs(growth.incrementalExpandRate)
        if growth.fillHoles { frame = try fillHoles(frame) }
        if let previous { frame = try mixed(frame, previous, growth) }
        previous = frame
        results.append(try blurred(frame, radius: growth.blurRadius))
    }
    return try HostMath.concatenate(results, axis: 0)
}

private func mixed(_ frame: Tensor, _ previous: Tensor, _ growth: MaskGrowth) throws -> Tensor {
    var frame = frame
    if growth.lerpAlpha < 1 {
        let (new, old) = (Float(growth.lerpAlpha), Float(1 - growth.lerpAlpha))
        frame = try HostMath.zip(frame, previous) { new * $0 + old * $1 }
    }
    if growth.decayFactor < 1 {
        let decay = Float(growth.decayFactor)
        let sum = try HostMath.zip(frame, previous) { $0 + decay * $1 }
        let largest = try sum.floats().reduce(-Float.infinity) { max($0, $1) }
        // An empty frame after empty frames stays empty; 0 / 0 would make it NaN.
        frame = largest == 0 ? sum : try HostMath.map(sum) { $0 / largest }
    }
    return frame
}

/// Through bytes and Pillow's blur.
private func blurred(_ frame: Tensor, radius: Double) throws -> Tensor {
    if radius == 0 { return frame }
    return try ByteImage(truncatingMask: frame).gaussianBlurred(radius: Float(radius)).floatMask()
}
