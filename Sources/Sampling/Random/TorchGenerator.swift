import CSampling
import Glibc
public import Tensors

/// The random numbers of torch's CPU generator: the 32-bit Mersenne Twister (Matsumoto and Nishimura 1998) and the way
/// the reference turns its words into uniform and normal numbers (spec: families-unet-sampling.md §16).
///
/// Only the low 32 bits of a seed count.
public struct TorchGenerator: Sendable {
    private static let length = 624
    private static let middle = 397

    private var state: [UInt32]
    private var position = Self.length
    /// The second value of the last pair drawn by ``normal()``; it outlives draws of other kinds.
    private var cachedNormal: Double?

    public init(seed: UInt64) {
        state = [UInt32](repeating: 0, count: Self.length)
        state[0] = UInt32(truncatingIfNeeded: seed)
        for j in 1..<Self.length {
            state[j] = 1_812_433_253 &* (state[j - 1] ^ state[j - 1] >> 30) &+ UInt32(j)
        }
    }

    /// The next 32 random bits.
    public mutating func next() -> UInt32 {
        if position == Self.length { twist() }
        defer { position += 1 }
        return Self.tempered(state[position])
    }

    /// A uniform number in [0, 1): 24 bits.
    public mutating func uniform() -> Float { Float(next() & 0xff_ffff) * 0x1p-24 }

    /// A uniform number in [0, 1): 53 bits of two draws, the high word first.
    public mutating func uniformDouble() -> Double {
        let high = UInt64(next())
        let bits = (high << 32 | UInt64(next())) & (1 << 53 - 1)
        return Double(bits) * 0x1p-53
    }

    /// A standard normal number, as draws of fewer than 16 elements make them (Box–Muller in float64).
    public mutating func normal() -> Double {
        if let cached = cachedNormal {
            cachedNormal = nil
            return cached
        }
        let first = uniformDouble()
        let second = uniformDouble()
        let radius = (-2 * log1p(-second)).squareRoot()
        let angle = 2 * Double.pi * first
        cachedNormal = radius * sin(angle)
        return radius * cos(angle)
    }

    /// Fills `out` with uniform numbers.
    public mutating func fillUniform(_ out: inout MutableSpan<Float>) { fillUniform(&out, from: 0) }

    private mutating func fillUniform(_ out: inout MutableSpan<Float>, from start: Int) {
        var written = start
        while written < out.count {
            if position == Self.length { twist() }
            let run = min(Self.length - position, out.count - written)
            let first = position
            do {
                let words = state.span
                for k in 0..<run {
                    out[written + k] = Float(Self.tempered(words[first + k]) & 0xff_ffff) * 0x1p-24
                }
            }
            written += run
            position = first + run
        }
    }

    /// Fills `out` with the uniform numbers of torch's half precision: rounded to 11 significant bits (nearest even), 1
    /// becomes 0. The seeded rounding to fp8 uses them.
    public mutating func fillUniformHalf(_ out: inout MutableSpan<Float>) {
        fillUniform(&out)
        for i in out.indices {
            let value = out[i]
            // Below 2⁻¹⁴ the unit of half floats is 2⁻²⁴, and every uniform number is a multiple of it.
            if value >= 0x1p-14 {
                let bits = value.bitPattern
                let rounded = Float(bitPattern: (bits &+ 0xfff &+ (bits >> 13 & 1)) & ~0x1fff)
                out[i] = rounded == 1 ? 0 : rounded
            }
        }
    }

    /// Fills `out` with standard normal numbers. Only the number of elements matters, not their shape.
    public mutating func fillNormal(_ out: inout MutableSpan<Float>) {
        let count = out.count
        guard count >= 16 else {
            for i in 0..<count { out[i] = Float(normal()) }
            return
        }
        fillUniform(&out)
        Self.transform(&out, from: 0, blocks: count / 16)
        if !count.isMultiple(of: 16) {
            // The last block is drawn anew and overwrites up to 15 finished numbers.
            fillUniform(&out, from: count - 16)
            Self.transform(&out, from: count - 16, blocks: 1)
        }
    }

    /// Uniform numbers in [0, 1).
    public mutating func uniform(_ shape: Shape) throws -> Tensor {
        try Tensor.build(shape, of: Float.self) { fillUniform(&$0) }
    }

    /// Standard normal numbers.
    public mutating func normal(_ shape: Shape) throws -> Tensor {
        try Tensor.build(shape, of: Float.self) { fillNormal(&$0) }
    }

    private static func transform(_ out: inout MutableSpan<Float>, from start: Int, blocks: Int) {
        unsafe out.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, start + blocks * 16 <= buffer.count else { return }
            unsafe cs_normal_from_uniform(base + start, blocks)
        }
    }

    @inline(__always) private static func tempered(_ word: UInt32) -> UInt32 {
        var y = word
        y ^= y >> 11
        y ^= y << 7 & 0x9d2c_5680
        y ^= y << 15 & 0xefc6_0000
        return y ^ y >> 18
    }

    private mutating func twist() {
        @inline(__always) func mixed(_ a: UInt32, _ b: UInt32) -> UInt32 {
            let y = a & 0x8000_0000 | b & 0x7fff_ffff
            return y >> 1 ^ (0 &- (y & 1)) & 0x9908_b0df
        }
        let (n, m) = (Self.length, Self.middle)
        var words = state.mutableSpan
        for k in 0..<n - m { words[k] = words[k + m] ^ mixed(words[k], words[k + 1]) }
        for k in n - m..<n - 1 { words[k] = words[k + m - n] ^ mixed(words[k], words[k + 1]) }
        words[n - 1] = words[m - 1] ^ mixed(words[n - 1], words[0])
        position = 0
    }
}
