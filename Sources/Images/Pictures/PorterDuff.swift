public import Tensors

/// The compositing operators of T. Porter and T. Duff ("Compositing digital images", 1984) and the blend modes that go by
/// their name in Android's `PorterDuff.Mode`, whose formulas these are; the raw values are the names in workflows.
public enum PorterDuffMode: String, Sendable, Hashable, CaseIterable {
    case add = "ADD"
    case clear = "CLEAR"
    case darken = "DARKEN"
    case destination = "DST"
    case destinationAtop = "DST_ATOP"
    case destinationIn = "DST_IN"
    case destinationOut = "DST_OUT"
    case destinationOver = "DST_OVER"
    case lighten = "LIGHTEN"
    case multiply = "MULTIPLY"
    case overlay = "OVERLAY"
    case screen = "SCREEN"
    case source = "SRC"
    case sourceAtop = "SRC_ATOP"
    case sourceIn = "SRC_IN"
    case sourceOut = "SRC_OUT"
    case sourceOver = "SRC_OVER"
    case xor = "XOR"

    /// The result's alpha, of source alpha `s` and destination alpha `d`.
    func alpha(_ s: Float, _ d: Float) -> Float {
        switch self {
        case .add: min(max(s + d, 0), 1)
        case .clear: 0
        case .darken, .lighten, .overlay, .screen: s + d - s * d
        case .destination, .sourceAtop: d
        case .destinationAtop, .source: s
        case .destinationIn, .multiply, .sourceIn: s * d
        case .destinationOut: (1 - s) * d
        case .destinationOver: d + (1 - d) * s
        case .sourceOut: (1 - d) * s
        case .sourceOver: s + (1 - s) * d
        case .xor: (1 - d) * s + (1 - s) * d
        }
    }

    /// A channel of the result, multiplied by its alpha; `a` and `b` are the channels of source and destination, likewise
    /// multiplied by their alphas `s` and `d`.
    func channel(_ a: Float, _ s: Float, _ b: Float, _ d: Float) -> Float {
        switch self {
        case .add: min(max(a + b, 0), 1)
        case .clear: 0
        case .darken: (1 - d) * a + (1 - s) * b + min(a, b)
        case .destination: b
        case .destinationAtop: s * b + (1 - d) * a
        case .destinationIn: b * s
        case .destinationOut: (1 - s) * b
        case .destinationOver: b + (1 - d) * a
        case .lighten: (1 - d) * a + (1 - s) * b + max(a, b)
        case .multiply: a * b
        case .overlay: 2 * b < d ? 2 * a * b : s * d - 2 * (d - b) * (s - a)
        case .screen: a + b - a * b
        case .source: a
        case .sourceAtop: d * a + (1 - s) * b
        case .sourceIn: a * d
        case .sourceOut: (1 - d) * a
        case .sourceOver: a + (1 - s) * b
        case .xor: (1 - d) * a + (1 - s) * b
        }
    }
}

/// Composites pictures with masks (1 = transparent); as many as there are of all four.
///
/// - Parameters:
///   - source: `[batch, height, width, channels]` with its mask; brought to the destination's size (bicubic, centre crop).
///   - destination: with its mask, which is brought to the picture's size in the same way.
/// - Returns: the picture, its channels divided by alpha again, and its mask.
/// - Throws: ``ImageError/Code/invalidArgument``.
public func compositePorterDuff(
    source: Tensor, sourceMask: Tensor, destination: Tensor, destinationMask: Tensor, _ mode: PorterDuffMode
) throws -> (image: Tensor, mask: Tensor) {
    let below = try imagePixels(destination)
    let (height, width, channels) = (below.shape[1], below.shape[2], below.shape[3])
    func isFitting(_ x: Tensor) -> Bool { x.shape[1] == height && x.shape[2] == width }
    var above = try imagePixels(source)
    guard above.shape[3] == channels else {
        throw ImageError(
            .invalidArgument,
            "source and destination need the same number of channels, found \(above.shape[3]) and \(channels)")
    }
    if !isFitting(above) {
        above = try resizeImage(above, width: width, height: height, method: .bicubic, crop: .center)
    }
    let masks = try [sourceMask, destinationMask].map { mask in
        let planes = try maskPlanes(mask)
        return isFitting(planes)
            ? planes : try resizeMask(planes, width: width, height: height, method: .bicubic, crop: .center)
    }
    let count = min(above.shape[0], below.shape[0], masks[0].shape[0], masks[1].shape[0])
    let pixels = count * height * width
    func alphas() throws -> Tensor {
        try masks[0].withElements(of: Float.self) { s in
            try masks[1].withElements(of: Float.self) { d in
                try Tensor.build([count, height, width], of: Float.self) { out in
                    for i in out.indices { out[i] = mode.alpha(1 - s[i], 1 - d[i]) }
                }
            }
        }
    }
    let alpha = try alphas()
    let image = try above.withElements(of: Float.self) { a in
        try below.withElements(of: Float.self) { b in
            try masks[0].withElements(of: Float.self) { s in
                try masks[1].withElements(of: Float.self) { d in
                    try alpha.withElements(of: Float.self) { alpha in
                        try Tensor.build([count, height, width, channels], of: Float.self) { out in
                            for i in 0..<pixels {
                                let (s, d) = (1 - s[i], 1 - d[i])
                                for k in i * channels..<(i + 1) * channels {
                                    let value = mode.channel(a[k] * s, s, b[k] * d, d)
                                    out[k] = alpha[i] > 1e-5 ? min(max(value / alpha[i], 0), 1) : 0
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    return (image, try HostMath.map(alpha) { 1 - $0 })
}
