/// How every output position along one axis is made from input positions: weighted sums of neighbours.
///
/// Rules: `families-unet-sampling.md` §18. Positions and weights are computed in float32 with fused multiplications and
/// additions, as in the builds of the reference: without them cubic weights differ by 1e-6.
struct AxisTaps {
    /// Taps of output i are those from `starts[i]` to `starts[i + 1]`.
    private(set) var starts: [Int] = [0]
    private(set) var indices: [Int] = []
    private(set) var weights: [Float] = []

    /// Number of output positions.
    var count: Int { starts.count - 1 }

    /// Whether the output is a copy of the input.
    private(set) var isIdentity = false

    private mutating func append(_ index: Int, _ weight: Float) {
        indices.append(index)
        weights.append(weight)
    }

    init(_ method: ResizeMethod, from input: Int, to output: Int) {
        starts.reserveCapacity(output + 1)
        let scale = Float(input) / Float(output)
        for i in 0..<output {
            switch method {
            case .nearest: append(min(Int(Float(i) * scale), input - 1), 1)
            case .nearestExact: append(min(Int((Float(i) + 0.5) * scale), input - 1), 1)
            case .area:
                let range = i * input / output..<((i + 1) * input + output - 1) / output
                for index in range { append(index, 1 / Float(range.count)) }
            case .bicubic: appendCubic(at: Self.position(of: i, scale), input)
            // Lanczos and bislerp are not sums of this kind and never get here.
            case .bilinear, .lanczos, .bislerp: appendLinear(at: Self.position(of: i, scale), input)
            }
            starts.append(indices.count)
        }
        isIdentity = input == output
    }

    /// Any other sums: `taps` gives the positions and weights of an output.
    init(count: Int, _ taps: (Int) -> [(Int, Float)]) {
        for i in 0..<count {
            for (index, weight) in taps(i) { append(index, weight) }
            starts.append(indices.count)
        }
    }

    private static func position(of i: Int, _ scale: Float) -> Float {
        (-0.5 as Float).addingProduct(Float(i) + 0.5, scale)
    }

    private mutating func appendLinear(at position: Float, _ input: Int) {
        let position = max(position, 0)
        let first = min(Int(position), input - 1)
        let fraction = min(max(position - Float(first), 0), 1)
        append(first, 1 - fraction)
        append(min(first + 1, input - 1), fraction)
    }

    /// Cubic convolution with a = −0.75 (R. Keys, 1981).
    private mutating func appendCubic(at position: Float, _ input: Int) {
        let floor = position.rounded(.down)
        let t = position - floor
        let a: Float = -0.75
        func near(_ x: Float) -> Float {
            (1 as Float).addingProduct((-(a + 3)).addingProduct(a + 2, x) * x, x)
        }
        func far(_ x: Float) -> Float {
            (-4 * a).addingProduct((8 * a).addingProduct((-5 * a).addingProduct(a, x), x), x)
        }
        let rest = 1 - t
        let weights = [far(t + 1), near(t), near(rest), far(rest + 1)]
        for (offset, weight) in weights.enumerated() {
            append(min(max(Int(floor) - 1 + offset, 0), input - 1), weight)
        }
    }
}
