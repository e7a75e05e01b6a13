import Diffusion
import Glibc
public import Tensors

/// Guidance whose low and high frequencies count differently (Huang et al. 2025, "FreSca: Scaling in Frequency Space
/// Enhances Diffusion Models").
public enum FrequencyGuidance {
    /// Multiplies the frequencies −cutoff…cutoff − 1 along both sides of the difference between positive and negative by
    /// `low`, all others by `high`.
    public static func scale(_ inputs: inout GuidanceInputs, low: Float, high: Float, cutoff: Int) throws {
        guard let negative = inputs.negative else { return }
        let difference = try Elementwise.zip(inputs.positive, negative) { $0 - $1 }
        let smooth = try lowPass(difference, cutoff: cutoff)
        let scaled = try Elementwise.zip(difference, smooth) { high * $0 + (low - high) * $1 }
        inputs.positive = try Elementwise.zip(scaled, negative) { $0 + $1 }
    }

    /// The part of every plane `[…, h, w]` with frequencies −cutoff…cutoff − 1 along both sides, real part.
    public static func lowPass(_ x: Tensor, cutoff: Int) throws -> Tensor {
        let shape = x.shape
        guard shape.rank >= 2, shape.count > 0, cutoff > 0 else { return x }
        let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
        let (rows, columns) = (Kernel(height, cutoff), Kernel(width, cutoff))
        let planes = shape.count / (height * width)
        return try x.asFloat32().withElements(of: Float.self) { input in
            try Tensor.build(shape, of: Float.self) { out in
                for plane in 0..<planes {
                    let start = plane * height * width
                    // Along the rows, then down the columns; real and imaginary part.
                    var real = [Double](repeating: 0, count: height * width)
                    var imaginary = real
                    for y in 0..<height {
                        for i in 0..<width {
                            var (r, s) = (0.0, 0.0)
                            for j in 0..<width {
                                let value = Double(input[start + y * width + j])
                                let k = (i - j + width) % width
                                r += columns.real[k] * value
                                s += columns.imaginary[k] * value
                            }
                            real[y * width + i] = r
                            imaginary[y * width + i] = s
                        }
                    }
                    for i in 0..<height {
                        for column in 0..<width {
                            var sum = 0.0
                            for j in 0..<height {
                                let k = (i - j + height) % height
                                sum += rows.real[k] * real[j * width + column]
                                sum -= rows.imaginary[k] * imaginary[j * width + column]
                            }
                            out[start + i * width + column] = Float(sum)
                        }
                    }
                }
            }
        }
    }

    /// (1/n)·Σ exp(2πi·f·k/n) over the frequencies that are kept: what circular convolution keeps them with.
    private struct Kernel {
        var real: [Double]
        var imaginary: [Double]

        init(_ length: Int, _ cutoff: Int) {
            // The frequencies of a line of this length, as a shifted spectrum orders them.
            let lowest = -(length / 2)
            let kept = max(lowest, -cutoff)..<max(min(lowest + length, cutoff), max(lowest, -cutoff))
            real = [Double](repeating: 0, count: length)
            imaginary = real
            for k in 0..<length {
                for frequency in kept {
                    let angle = 2 * Double.pi * Double(frequency * k % length) / Double(length)
                    real[k] += cos(angle) / Double(length)
                    imaginary[k] += sin(angle) / Double(length)
                }
            }
        }
    }
}
