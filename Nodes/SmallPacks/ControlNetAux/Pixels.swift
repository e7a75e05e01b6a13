import NodeKit
import Tensors

/// A picture of three 8-bit colours in rows, for what OpenCV does with bytes.
struct Pixels {
    let width: Int
    let height: Int
    /// Red, green and blue of every pixel.
    var values: [UInt8]

    /// One picture of a batch, as nodes turn it into bytes: 255·v clipped and truncated. Grey is spread over the colours,
    /// alpha is put on white.
    init(_ image: Tensor, item: Int) throws {
        (width, height) = (image.shape[2], image.shape[1])
        let channels = image.shape[3]
        let source = try image.slice(axis: 0, item..<item + 1).floats()
        values = [UInt8](repeating: 0, count: width * height * 3)
        func byte(_ value: Float) -> UInt8 {
            let scaled = value * 255
            return scaled > 0 ? UInt8(min(scaled, 255)) : 0
        }
        for pixel in 0..<width * height {
            for colour in 0..<3 {
                var value = Float(byte(source[pixel * channels + min(colour, channels - 1)]))
                if channels == 4 {
                    let alpha = Float(byte(source[pixel * channels + 3])) / 255
                    value = value * alpha + 255 * (1 - alpha)
                }
                values[pixel * 3 + colour] = UInt8(min(max(value, 0), 255))
            }
        }
    }

    init(width: Int, height: Int, values: [UInt8]) {
        self.width = width
        self.height = height
        self.values = values
    }

    /// With the last column and row repeated up to multiples of a number.
    func padded(toMultipleOf step: Int) -> Pixels {
        let (newWidth, newHeight) = ((width + step - 1) / step * step, (height + step - 1) / step * step)
        var out: [UInt8] = []
        out.reserveCapacity(newWidth * newHeight * 3)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let from = (min(y, height - 1) * width + min(x, width - 1)) * 3
                out.append(contentsOf: values[from..<from + 3])
            }
        }
        return Pixels(width: newWidth, height: newHeight, values: out)
    }
}

extension Pixels {
    /// In another size: by areas when it shrinks, else bicubic (a = −0.75), as OpenCV's `resize`.
    func resized(width newWidth: Int, height newHeight: Int, isShrinking: Bool) -> Pixels {
        if newWidth == width && newHeight == height { return self }
        let columns = isShrinking ? Self.areaTaps(width, newWidth) : Self.cubicTaps(width, newWidth)
        let rows = isShrinking ? Self.areaTaps(height, newHeight) : Self.cubicTaps(height, newHeight)
        var wide = [Double](repeating: 0, count: newWidth * height * 3)
        for y in 0..<height {
            for (x, taps) in columns.enumerated() {
                for (index, weight) in taps {
                    for colour in 0..<3 {
                        wide[(y * newWidth + x) * 3 + colour] +=
                            weight * Double(values[(y * width + index) * 3 + colour])
                    }
                }
            }
        }
        var out = [UInt8](repeating: 0, count: newWidth * newHeight * 3)
        for (y, taps) in rows.enumerated() {
            for x in 0..<newWidth * 3 {
                var sum = 0.0
                for (index, weight) in taps { sum += weight * wide[index * newWidth * 3 + x] }
                out[y * newWidth * 3 + x] = UInt8(min(max(sum.rounded(.toNearestOrEven), 0), 255))
            }
        }
        return Pixels(width: newWidth, height: newHeight, values: out)
    }

    /// Every output is the mean of the stretch of the line that it covers.
    private static func areaTaps(_ input: Int, _ output: Int) -> [[(Int, Double)]] {
        let scale = Double(input) / Double(output)
        return (0..<output).map { i in
            let (start, end) = (Double(i) * scale, min(Double(i + 1) * scale, Double(input)))
            let last = min(Int(end.rounded(.up)), input)
            return (Int(start)..<max(last, Int(start) + 1)).map { index in
                (min(index, input - 1), (min(Double(index + 1), end) - max(Double(index), start)) / (end - start))
            }
        }
    }

    /// Cubic convolution of four neighbours, in units of 1/2048; positions outside are the nearest inside.
    private static func cubicTaps(_ input: Int, _ output: Int) -> [[(Int, Double)]] {
        let a = -0.75
        return (0..<output).map { i in
            let position = (Double(i) + 0.5) * Double(input) / Double(output) - 0.5
            let floor = position.rounded(.down)
            let t = position - floor
            let near = { (x: Double) in ((a + 2) * x - (a + 3)) * x * x + 1 }
            let far = { (x: Double) in ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
            let weights = [far(t + 1), near(t), near(1 - t)].map { ($0 * 2048).rounded(.toNearestOrEven) / 2048 }
            let all = weights + [1 - weights.reduce(0, +)]
            return all.enumerated().map { (min(max(Int(floor) - 1 + $0, 0), input - 1), $1) }
        }
    }
}
