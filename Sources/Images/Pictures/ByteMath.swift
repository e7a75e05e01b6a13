/// n / 255 rounded to nearest for n in 0…65025, in the way of Pillow.
@inline(__always)
func roundedDivision255(_ n: Int) -> UInt8 {
    let t = n + 128
    return UInt8(truncatingIfNeeded: ((t >> 8) + t) >> 8)
}

/// The byte of a value in 0…1: 255·v clipped and **truncated**, so that 0.5 becomes 127; NaN becomes 0.
@inline(__always)
func truncatedByte(_ value: Float) -> UInt8 {
    let scaled = value * 255
    return scaled > 0 ? UInt8(scaled < 255 ? scaled : 255) : 0
}
