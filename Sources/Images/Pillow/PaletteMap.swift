internal import Tensors

/// Colours mapped to the nearest of a palette as Pillow does it: nearest to the colour with the two low bits of every
/// channel dropped, the first of equally near ones.
struct PaletteMap {
    /// RGB one after the other.
    let palette: [UInt8]
    /// Palette index by the upper six bits of red, green and blue; −1 is not known yet.
    private var known = [Int16](repeating: -1, count: 1 << 18)

    init(_ palette: [UInt8]) { self.palette = palette }

    mutating func index(_ r: Int, _ g: Int, _ b: Int) -> Int {
        let slot = (r >> 2) << 12 | (g >> 2) << 6 | b >> 2
        if known[slot] >= 0 { return Int(known[slot]) }
        let (r, g, b) = (r & ~3, g & ~3, b & ~3)
        var best = 0
        var smallest = Int.max
        for i in 0..<palette.count / 3 {
            let (x, y, z) = (r - Int(palette[3 * i]), g - Int(palette[3 * i + 1]), b - Int(palette[3 * i + 2]))
            let distance = x * x + y * y + z * z
            if distance < smallest {
                smallest = distance
                best = i
            }
        }
        known[slot] = Int16(best)
        return best
    }

    /// Every pixel of RGB bytes replaced by its palette colour.
    mutating func nearest(_ pixels: Span<UInt8>, _ out: inout MutableSpan<UInt8>) {
        for at in stride(from: 0, to: pixels.count, by: 3) {
            let index = index(Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2]))
            for channel in 0..<3 { out[at + channel] = palette[3 * index + channel] }
        }
    }

    /// The same with error diffusion (R. Floyd and L. Steinberg, 1976), in Pillow's integer arithmetic: errors are kept in
    /// sixteenths and divided towards zero.
    mutating func diffused(_ pixels: Span<UInt8>, width: Int, _ out: inout MutableSpan<UInt8>) {
        // For each pixel of the next row, the error it gets from this one; one place to the right.
        var below = [Int](repeating: 0, count: (width + 1) * 3)
        for start in stride(from: 0, to: pixels.count, by: width * 3) {
            var right = [0, 0, 0]
            var belowHere = [0, 0, 0]
            var belowRight = [0, 0, 0]
            for x in 0..<width {
                let at = start + 3 * x
                let colour = (0..<3).map { channel in
                    min(max(Int(pixels[at + channel]) + (right[channel] + below[3 * (x + 1) + channel]) / 16, 0), 255)
                }
                let index = index(colour[0], colour[1], colour[2])
                for channel in 0..<3 {
                    out[at + channel] = palette[3 * index + channel]
                    let error = colour[channel] - Int(palette[3 * index + channel])
                    // 7/16 to the right, 3/16 below left, 5/16 below, 1/16 below right.
                    below[3 * x + channel] = 3 * error + belowHere[channel]
                    belowHere[channel] = 5 * error + belowRight[channel]
                    belowRight[channel] = error
                    right[channel] = 7 * error
                }
            }
            // Pillow writes three numbers of the last channel here, so that row ends take errors of blue alone.
            below[3 * width] = belowHere[2]
            below[3 * width + 1] = belowRight[2]
            below[3 * width + 2] = belowRight[2]
        }
    }
}
