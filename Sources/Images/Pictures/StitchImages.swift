public import Tensors

/// The node ImageStitch: two pictures side by side or one above the other.
public struct ImageStitching: Sendable, Hashable {
    /// The side of the first picture on which the second one is put; the raw values are the names in workflows.
    public enum Side: String, Sendable, Hashable, CaseIterable {
        case right, down, left, up

        var isHorizontal: Bool { self == .right || self == .left }
    }

    /// The strip between the pictures.
    public enum Colour: String, Sendable, Hashable, CaseIterable {
        case white, black, red, green, blue

        var channels: [Float] {
            switch self {
            case .white: [1, 1, 1]
            case .black: [0, 0, 0]
            case .red: [1, 0, 0]
            case .green: [0, 1, 0]
            case .blue: [0, 0, 1]
            }
        }
    }

    public var side = Side.right
    /// Bring the second picture to the first one's height (or width) by Lanczos; otherwise the smaller one is padded
    /// about its centre, with the strip's colour where that is white, else with black.
    public var matchesSize = true
    /// Pixels between the pictures; an odd number becomes the next even one.
    public var spacing = 0
    public var colour = Colour.white

    public init() {}

    /// - Parameters: pictures `[batch, height, width, channels]`. The last picture of the smaller batch is repeated; one
    ///   without alpha gets an opaque one if the other has it.
    /// - Throws: ``ImageError/Code/invalidArgument`` for other ranks and a negative spacing.
    public func stitch(_ first: Tensor, _ second: Tensor) throws -> Tensor {
        guard (0...1 << 16).contains(spacing) else {
            throw ImageError(.invalidArgument, "a spacing of \(spacing) pixels is not between 0 and 65536")
        }
        var (a, b) = (try imagePixels(first), try imagePixels(second))
        let batch = max(a.shape[0], b.shape[0])
        (a, b) = (try lengthened(a, to: batch), try lengthened(b, to: batch))
        let across = side.isHorizontal ? 1 : 2
        if matchesSize {
            b = try matched(b, to: a)
        } else {
            let length = max(a.shape[across], b.shape[across])
            let filling: Float = colour == .white ? 1 : 0
            (a, b) = (
                try padded(a, axis: across, to: length, filling), try padded(b, axis: across, to: length, filling)
            )
        }
        let channels = max(a.shape[3], b.shape[3])
        (a, b) = (try withChannels(a, channels), try withChannels(b, channels))
        var parts = side == .right || side == .down ? [a, b] : [b, a]
        if spacing > 0 { parts.insert(try strip(beside: a, spacing + spacing % 2), at: 1) }
        return try HostMath.concatenate(parts, axis: side.isHorizontal ? 2 : 1)
    }

    private func matched(_ b: Tensor, to a: Tensor) throws -> Tensor {
        let aspect = Double(b.shape[2]) / Double(b.shape[1])
        let (width, height) =
            side.isHorizontal
            ? (Int(Double(a.shape[1]) * aspect), a.shape[1]) : (a.shape[2], Int(Double(a.shape[2]) / aspect))
        return try resizeImage(b, width: width, height: height, method: .lanczos)
    }

    private func strip(beside picture: Tensor, _ width: Int) throws -> Tensor {
        let shape = picture.shape.replacing(side.isHorizontal ? 2 : 1, with: width)
        let count = shape[3]
        // Grey pictures take the red component; alpha and what else there may be is 1.
        let pixel = (0..<count).map { $0 < 3 ? colour.channels[$0] : 1 }
        return try Tensor.build(shape, of: Float.self) { out in
            for i in out.indices { out[i] = pixel[i % count] }
        }
    }
}

/// The last picture of a batch repeated until there are `count`.
private func lengthened(_ images: Tensor, to count: Int) throws -> Tensor {
    let have = images.shape[0]
    if have >= count { return images }
    let last = try images.slice(axis: 0, have - 1..<have)
    return try HostMath.concatenate([images] + [Tensor](repeating: last, count: count - have), axis: 0)
}

/// A picture with borders before and behind along an axis, the one behind larger by 1 if need be.
private func padded(_ image: Tensor, axis: Int, to length: Int, _ filling: Float) throws -> Tensor {
    let missing = length - image.shape[axis]
    if missing <= 0 { return image }
    func border(_ count: Int) throws -> Tensor {
        try Tensor.full(image.shape.replacing(axis, with: count), filling)
    }
    return try HostMath.concatenate([border(missing / 2), image, border(missing - missing / 2)], axis: axis)
}

/// A picture scaled to fit into a frame with its aspect ratio kept, centred, the rest filled with `filling`
/// (ResizeAndPadImage).
///
/// - Throws: ``ImageError/Code/invalidArgument``.
public func resizeAndPad(
    _ image: Tensor, width: Int, height: Int, filling: Float, method: ResizeMethod
) throws -> Tensor {
    let pixels = try imagePixels(image)
    guard isReasonable(width: width, height: height, planes: pixels.shape[0] * pixels.shape[3]) else {
        throw ImageError(.invalidArgument, "a picture of \(width)×\(height) pixels cannot be made")
    }
    let scale = min(Double(width) / Double(pixels.shape[2]), Double(height) / Double(pixels.shape[1]))
    let resized = try resizeImage(
        pixels, width: Int(Double(pixels.shape[2]) * scale), height: Int(Double(pixels.shape[1]) * scale),
        method: method)
    return try padded(padded(resized, axis: 1, to: height, filling), axis: 2, to: width, filling)
}
