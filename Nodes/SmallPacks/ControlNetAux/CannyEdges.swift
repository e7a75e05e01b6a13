/// J. Canny's edge detector (1986) in whole numbers, as OpenCV computes it: Sobel gradients, the strongest colour, |dx| +
/// |dy| as strength.
enum CannyEdges {
    /// 255 on edges, else 0, for every pixel.
    ///
    /// - Parameters:
    ///   - low: what continues an edge is stronger than this.
    ///   - high: what begins an edge is stronger than this.
    static func find(_ picture: Pixels, low: Int, high: Int) -> [UInt8] {
        let (low, high) = (min(low, high), max(low, high))
        let gradients = Gradients(picture)
        var isCandidate = [Bool](repeating: false, count: picture.width * picture.height)
        var open: [Int] = []
        var out = [UInt8](repeating: 0, count: isCandidate.count)
        for y in 0..<picture.height {
            for x in 0..<picture.width where gradients.isRidge(x, y, above: low) {
                let i = y * picture.width + x
                isCandidate[i] = true
                if gradients.strength(x, y) > high {
                    out[i] = 255
                    open.append(i)
                }
            }
        }
        // Candidates next to an edge belong to it.
        while let i = open.popLast() {
            let (y, x) = i.quotientAndRemainder(dividingBy: picture.width)
            for v in max(y - 1, 0)...min(y + 1, picture.height - 1) {
                for u in max(x - 1, 0)...min(x + 1, picture.width - 1) {
                    let j = v * picture.width + u
                    if isCandidate[j] && out[j] == 0 {
                        out[j] = 255
                        open.append(j)
                    }
                }
            }
        }
        return out
    }

    private struct Gradients {
        private let width: Int
        private let height: Int
        private var dx: [Int]
        private var dy: [Int]

        init(_ picture: Pixels) {
            (width, height) = (picture.width, picture.height)
            dx = [Int](repeating: 0, count: width * height)
            dy = dx
            for y in 0..<height {
                for x in 0..<width {
                    var best = -1
                    for colour in 0..<3 {
                        func value(_ u: Int, _ v: Int) -> Int {
                            let (column, row) = (
                                min(max(x + u, 0), picture.width - 1), min(max(y + v, 0), picture.height - 1)
                            )
                            return Int(picture.values[(row * picture.width + column) * 3 + colour])
                        }
                        let across =
                            value(1, -1) + 2 * value(1, 0) + value(1, 1) - value(-1, -1) - 2 * value(-1, 0)
                            - value(-1, 1)
                        let along =
                            value(-1, 1) + 2 * value(0, 1) + value(1, 1) - value(-1, -1) - 2 * value(0, -1)
                            - value(1, -1)
                        if abs(across) + abs(along) > best {
                            best = abs(across) + abs(along)
                            dx[y * width + x] = across
                            dy[y * width + x] = along
                        }
                    }
                }
            }
        }

        /// 0 outside of the picture.
        func strength(_ x: Int, _ y: Int) -> Int {
            guard x >= 0, y >= 0, x < width, y < height else { return 0 }
            return abs(dx[y * width + x]) + abs(dy[y * width + x])
        }

        /// Whether a pixel is the strongest across its edge.
        func isRidge(_ x: Int, _ y: Int, above low: Int) -> Bool {
            let own = strength(x, y)
            guard own > low else { return false }
            let (across, along) = (dx[y * width + x], dy[y * width + x])
            // tan 22.5° in units of 2⁻¹⁵.
            let flat = abs(across) * 13573
            let steep = flat + abs(across) << 16
            let rise = abs(along) << 15
            if rise < flat { return own > strength(x - 1, y) && own >= strength(x + 1, y) }
            if rise > steep { return own > strength(x, y - 1) && own >= strength(x, y + 1) }
            let side = (across < 0) != (along < 0) ? -1 : 1
            return own > strength(x - side, y - 1) && own > strength(x + side, y + 1)
        }
    }
}
