/// torch's `linspace` in float32: from both ends towards the middle, each point with one rounding (the reference's build
/// uses fused multiply-adds here; the products of 24 by at most 20 bits are exact in double precision).
func linearSpace(_ start: Float, _ end: Float, _ count: Int) -> [Float] {
    guard count > 1 else { return count == 1 ? [start] : [] }
    let step = Double((end - start) / Float(count - 1))
    return (0..<count).map { index in
        index < count / 2
            ? Float(Double(start) + step * Double(index)) : Float(Double(end) - step * Double(count - 1 - index))
    }
}
