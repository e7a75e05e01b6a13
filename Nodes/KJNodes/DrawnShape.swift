/// Shapes as Pillow draws them: unsmoothed, corners included.
enum DrawnShape: String, CaseIterable {
    case circle, square, triangle

    /// Calls `fill` with the columns (both ends included, possibly outside of the picture) that the shape covers in each
    /// row from 0 to `height`.
    ///
    /// - Parameters:
    ///   - x: column of the centre.
    ///   - y: row of the centre.
    ///   - size: width and height; halves are rounded down to each side. Below 2¹⁵, so that no product overflows.
    func spans(
        x: Int, y: Int, size: (width: Int, height: Int), height: Int,
        _ fill: (_ row: Int, _ first: Int, _ last: Int) -> Void
    ) {
        let (left, right) = (x - size.width / 2, x + size.width / 2)
        let (top, bottom) = (y - size.height / 2, y + size.height / 2)
        let rows = max(top, 0)..<max(max(top, 0), min(bottom + 1, height))
        switch self {
        case .square: for row in rows { fill(row, left, right) }
        case .triangle:
            for row in rows {
                let share = bottom == top ? 1 : Double(row - top) / Double(bottom - top)
                fill(
                    row, Self.roundedUp(Double(x) - Double(size.width / 2) * share),
                    Self.roundedDown(Double(x) + Double(size.width / 2) * share))
            }
        case .circle:
            let (w, h) = (right - left, bottom - top)
            for (rise, reach) in Self.ellipse(width: w, height: h) {
                for row in Set([top + (h + rise) / 2, top + (h - rise) / 2]) where rows.contains(row) {
                    fill(row, left + (w - reach) / 2, left + (w + reach) / 2)
                }
            }
        }
    }

    private static func roundedUp(_ value: Double) -> Int {
        Int(value >= 0 ? (value + 0.5).rounded(.down) : -(abs(value) + 0.5).rounded(.down))
    }
    private static func roundedDown(_ value: Double) -> Int {
        Int(value >= 0 ? (value - 0.5).rounded(.up) : -(abs(value) - 0.5).rounded(.up))
    }

    /// For every distance from the middle row the farthest column of the outline, both in half pixels: from the widest
    /// row on, each step goes to the neighbour that misses the ellipse's equation least.
    private static func ellipse(width: Int, height: Int) -> [Int: Int] {
        let (a, b) = (width * width, height * height)
        func miss(_ x: Int, _ y: Int) -> Int { abs(a * y * y + b * x * x - a * b) }
        var (x, y) = (width, height % 2)
        var reach: [Int: Int] = [:]
        while true {
            reach[y] = max(reach[y] ?? 0, x)
            if x == width % 2 && y == height { return reach }
            var next = (x: x, y: y + 2, miss: miss(x, y + 2))
            if x > 1 {
                for (nextX, nextY) in [(x - 2, y + 2), (x - 2, y)] {
                    let other = miss(nextX, nextY)
                    if other < next.miss { next = (nextX, nextY, other) }
                }
            }
            (x, y) = (next.x, next.y)
        }
    }
}
