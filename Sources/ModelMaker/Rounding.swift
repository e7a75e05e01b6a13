/// Float32 to the narrower types, to nearest, ties to even, as the manifests define it.
enum Rounding {
    /// Float16; beyond its range infinity.
    @inline(__always)
    static func float16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude >= 0x4780_0000 {
            // 2¹⁶ and more, infinity, NaN.
            return sign | (magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00)
        }
        if magnitude < 0x3880_0000 {
            // Below 2⁻¹⁴ the step is constant, 2⁻²⁴: adding 0.5 leaves the number of steps in the low bits.
            return sign | UInt16(truncatingIfNeeded: (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000)
        }
        let rounded = magnitude &+ 0x0FFF &+ ((magnitude >> 13) & 1)
        return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
    }

    @inline(__always)
    static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }

    /// e4m3fn; beyond its range 448, the largest number.
    @inline(__always)
    static func e4m3(_ value: Float) -> UInt8 { float8(value, mantissa: 3, bias: 7, top: 0x7E) }

    /// e5m2; beyond its range 57344, the largest number.
    @inline(__always)
    static func e5m2(_ value: Float) -> UInt8 { float8(value, mantissa: 2, bias: 15, top: 0x7B) }

    @inline(__always)
    private static func float8(_ value: Float, mantissa: UInt32, bias: UInt32, top: UInt32) -> UInt8 {
        let bits = value.bitPattern
        let magnitude = bits & 0x7FFF_FFFF
        let drop = 23 - mantissa
        var code: UInt32
        if magnitude < (128 - bias) << 23 {
            // Subnormal: the step is 2^(1 − bias − mantissa). A float whose last place has that value does the rounding.
            let anchor = Float(bitPattern: (128 - bias + drop) << 23)
            code = (Float(bitPattern: magnitude) + anchor).bitPattern &- anchor.bitPattern
        } else {
            let rounded = magnitude &+ ((1 << (drop - 1)) - 1) &+ ((magnitude >> drop) & 1)
            code = (rounded &- ((127 - bias) << 23)) >> drop
        }
        code = min(code, top)
        return UInt8(truncatingIfNeeded: code | (bits >> 24 & 0x80))
    }
}
