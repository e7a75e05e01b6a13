internal import Tensors

/// Pillow's median cut (P. Heckbert, "Color image quantization for frame buffer display", 1982): the box with the most
/// pixels is divided at the median of its longest side until there are enough; every box gives its mean colour.
struct MedianCut {
    /// Colours beyond this number are told apart by fewer bits.
    private static let maximumColours = 1 << 16

    /// A colour after dropping `shift` low bits of every channel, and how many pixels have it.
    private struct Entry {
        let channels: (Int, Int, Int)
        let count: Int

        subscript(axis: Int) -> Int { axis == 0 ? channels.0 : axis == 1 ? channels.1 : channels.2 }
    }

    private final class Box {
        let entries: [Entry]
        let pixels: Int
        var halves: (Box, Box)?

        init(_ entries: [Entry]) {
            self.entries = entries
            pixels = entries.reduce(0) { $0 + $1.count }
        }

        private func extent(_ axis: Int) -> Int {
            var (low, high) = (Int.max, Int.min)
            for entry in entries {
                low = min(low, entry[axis])
                high = max(high, entry[axis])
            }
            return high - low
        }

        var isOneColour: Bool { entries.isEmpty || (0..<3).allSatisfy { extent($0) == 0 } }

        /// Cuts across the side that is longest as the eye weighs colours. The upper half takes colours from the top until
        /// it has more than half of the pixels, and all colours of the last value.
        func split() {
            let lengths = [extent(0) * 77, extent(1) * 150, extent(2) * 29]
            let axis = (1..<3).reduce(0) { lengths[$0] < lengths[$1] ? $1 : $0 }
            var counts = [Int](repeating: 0, count: 256)
            for entry in entries { counts[entry[axis]] += entry.count }
            var taken = 0
            var lowest = 255
            for value in stride(from: 255, through: 0, by: -1) where counts[value] > 0 {
                taken += counts[value]
                lowest = value
                if taken * 2 > pixels { break }
            }
            // Where that is everything, the lowest value goes into the other half.
            if let least = counts.firstIndex(where: { $0 > 0 }), least == lowest { lowest += 1 }
            halves = (
                Box(entries.filter { $0[axis] >= lowest }), Box(entries.filter { $0[axis] < lowest })
            )
        }
    }

    /// The palette of a picture: at most `count` colours, RGB one after the other.
    ///
    /// - Parameter pixels: RGB bytes, at least one pixel.
    static func palette(of pixels: Span<UInt8>, count: Int) -> [UInt8] {
        var shift: UInt32 = 0
        var histogram: [UInt32: Int] = [:]
        func key(_ at: Int, _ shift: UInt32) -> UInt32 {
            let (r, g, b) = (UInt32(pixels[at]), UInt32(pixels[at + 1]), UInt32(pixels[at + 2]))
            return (r >> shift) << 16 | (g >> shift) << 8 | (b >> shift)
        }
        repeat {
            histogram.removeAll(keepingCapacity: true)
            for at in stride(from: 0, to: pixels.count, by: 3) {
                histogram[key(at, shift), default: 0] += 1
                if histogram.count > maximumColours { break }
            }
            if histogram.count > maximumColours { shift += 1 }
        } while histogram.count > maximumColours

        let entries = histogram.map { colour, count in
            Entry(channels: (Int(colour >> 16), Int(colour >> 8 & 255), Int(colour & 255)), count: count)
        }
        let root = Box(entries)
        divide(root, into: count)

        // Boxes are numbered from the upper halves down.
        var boxOfColour: [UInt32: Int] = [:]
        var boxes = 0
        func number(_ box: Box) {
            if let (upper, lower) = box.halves {
                number(upper)
                number(lower)
                return
            }
            if box.entries.isEmpty { return }
            for entry in box.entries {
                let colour = UInt32(entry[0]) << 16 | UInt32(entry[1]) << 8 | UInt32(entry[2])
                boxOfColour[colour] = boxes
            }
            boxes += 1
        }
        number(root)

        var sums = [Int](repeating: 0, count: boxes * 4)
        for at in stride(from: 0, to: pixels.count, by: 3) {
            guard let box = boxOfColour[key(at, shift)] else { continue }
            for channel in 0..<3 { sums[box * 4 + channel] += Int(pixels[at + channel]) }
            sums[box * 4 + 3] += 1
        }
        var palette: [UInt8] = []
        for box in 0..<boxes {
            let count = Double(sums[box * 4 + 3])
            for channel in 0..<3 { palette.append(UInt8(0.5 + Double(sums[box * 4 + channel]) / count)) }
        }
        return palette
    }

    /// Splits leaves until there are `count`, or none can be split.
    private static func divide(_ root: Box, into count: Int) {
        var waiting = LargestFirst()
        waiting.add(root)
        var leaves = 1
        while leaves < count {
            guard let box = waiting.remove() else { return }
            if box.isOneColour { continue }
            box.split()
            if let (upper, lower) = box.halves {
                waiting.add(upper)
                waiting.add(lower)
            }
            leaves += 1
        }
    }

    /// A binary heap with the order of equal elements that Pillow's has: which of two boxes of the same size is divided
    /// decides the palette.
    private struct LargestFirst {
        private var boxes: [Box] = []

        mutating func add(_ box: Box) {
            boxes.append(box)
            var place = boxes.count
            while place > 1, box.pixels > boxes[place / 2 - 1].pixels {
                boxes[place - 1] = boxes[place / 2 - 1]
                place /= 2
            }
            boxes[place - 1] = box
        }

        mutating func remove() -> Box? {
            guard let top = boxes.first, let moved = boxes.popLast() else { return nil }
            if boxes.isEmpty { return top }
            var place = 1
            while place * 2 <= boxes.count {
                var child = place * 2
                if child < boxes.count, boxes[child - 1].pixels < boxes[child].pixels { child += 1 }
                if moved.pixels > boxes[child - 1].pixels { break }
                boxes[place - 1] = boxes[child - 1]
                place = child
            }
            boxes[place - 1] = moved
            return top
        }
    }
}
