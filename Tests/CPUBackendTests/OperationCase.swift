import Tensors
import Testing

/// One operation on fixed operands, run on the backend under test and on the reference.
struct OperationCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Largest normalised error (root of summed squared differences over that of the reference's squares) in float32:
    /// about √n · 2⁻²⁴ for sums of n terms, with room for another order of summation.
    var tolerance = 1e-5
    /// The same when products take bfloat16 operands, which carry 8 bits: 2⁻⁹ per operand.
    var coarse = 1e-2
    let run: @Sendable (any Backend) throws -> Tensor

    var testDescription: String { name }

    init(
        _ name: String, tolerance: Double = 1e-5, coarse: Double = 1e-2,
        _ run: @escaping @Sendable (any Backend) throws -> Tensor
    ) {
        self.name = name
        self.tolerance = tolerance
        self.coarse = coarse
        self.run = run
    }
}

/// Numbers that look random and are the same everywhere (SplitMix64).
struct Noise {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Roughly normal with standard deviation 1: the sum of four uniform numbers.
    mutating func normal() -> Float {
        var sum: Float = 0
        for _ in 0..<4 { sum += Float(next() >> 40) / Float(1 << 24) - 0.5 }
        return sum * Float(3).squareRoot()
    }
}

/// A tensor of noise times `scale` plus `mean`.
func noise(_ shape: Shape, _ seed: UInt64, scale: Float = 1, mean: Float = 0) throws -> Tensor {
    var source = Noise(seed)
    return try Tensor((0..<shape.count).map { _ in source.normal() * scale + mean }, shape: shape)
}

/// Root of the summed squared differences over that of the reference; infinite when shapes differ or a value is not
/// finite where the reference's is.
func normalisedError(_ found: Tensor, _ expected: Tensor) throws -> Double {
    guard found.shape == expected.shape else { return .infinity }
    let (a, b) = (try found.floats(), try expected.floats())
    var difference = 0.0
    var size = 0.0
    for (x, y) in zip(a, b) {
        if !x.isFinite && y.isFinite { return .infinity }
        difference += Double(x - y) * Double(x - y)
        size += Double(y) * Double(y)
    }
    return difference == 0 ? 0 : (difference / max(size, 1e-300)).squareRoot()
}
