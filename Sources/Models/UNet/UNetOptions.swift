import Glibc
import Tensors

/// Changes to the evaluation of a UNet that nodes ask for.
public struct UNetOptions: Sendable {
    /// `FreeU`, `FreeU_V2`.
    public var freeU: FreeU?
    /// The middle block's self-attention gives every token its own value (perturbed attention guidance).
    public var skipsMiddleSelfAttention = false
    /// `PatchModelAddDownscale`.
    public var deepShrink: DeepShrink?
    /// Watches the self-attention of the middle block's first transformer block.
    public var attentionProbe: UNetAttentionProbe?

    public init() {}
}

/// FreeU (Si et al. 2023): in the two deepest levels of the decoder half of the backbone's channels are amplified and
/// the low frequencies of the skips damped (families-unet-sampling.md §13).
public struct FreeU: Sendable, Hashable {
    /// Backbone factors of the deepest level (4·model channels) and of the one above it.
    let b1: Float
    let b2: Float
    /// Skip factors of the same levels.
    let s1: Float
    let s2: Float
    /// Version 2: the factor follows the backbone's mean over channels.
    let isAdaptive: Bool

    public init(b1: Double, b2: Double, s1: Double, s2: Double, isAdaptive: Bool) {
        (self.b1, self.b2, self.s1, self.s2) = (Float(b1), Float(b2), Float(s1), Float(s2))
        self.isAdaptive = isAdaptive
    }

    /// - Parameters:
    ///   - h: the backbone `[batch, h, w, channels]`; `skip` what it is joined with.
    func applied(
        _ h: Tensor, skip: Tensor, modelChannels: Int, on b: any Backend
    ) throws -> (h: Tensor, skip: Tensor) {
        let factors: (backbone: Float, skip: Float)
        switch h.shape[3] {
        case 4 * modelChannels: factors = (b1, s1)
        case 2 * modelChannels: factors = (b2, s2)
        default: return (h, skip)
        }
        return (
            try b.place(amplified(b.host(h), factors.backbone)),
            try b.place(LowFrequencies.scaled(b.host(skip), by: factors.skip))
        )
    }

    /// The first half of the channels multiplied.
    private func amplified(_ h: Tensor, _ factor: Float) throws -> Tensor {
        let (batch, pixels, channels) = (h.shape[0], h.shape[1] * h.shape[2], h.shape[3])
        return try h.withElements(of: Float.self) { x in
            try Tensor.build(h.shape, of: Float.self) { out in
                for item in 0..<batch {
                    var means = [Float](repeating: 1, count: pixels)
                    if isAdaptive {
                        for pixel in 0..<pixels {
                            var sum: Float = 0
                            let start = (item * pixels + pixel) * channels
                            for channel in 0..<channels { sum += x[start + channel] }
                            means[pixel] = sum / Float(channels)
                        }
                        let (low, high) = (means.min() ?? 0, means.max() ?? 1)
                        means = means.map { ($0 - low) / (high - low) }
                    }
                    for pixel in 0..<pixels {
                        let start = (item * pixels + pixel) * channels
                        let scale = isAdaptive ? (factor - 1) * means[pixel] + 1 : factor
                        for channel in 0..<channels {
                            out[start + channel] =
                                channel < channels / 2 ? x[start + channel] * scale : x[start + channel]
                        }
                    }
                }
            }
        }
    }
}

/// The Fourier filter of FreeU: the frequencies −1 and 0 along both axes are multiplied, the real part is kept.
///
/// Only four frequencies change, so they are computed directly: x + (factor − 1)·Re(their inverse transform).
enum LowFrequencies {
    static func scaled(_ x: Tensor, by factor: Float) throws -> Tensor {
        let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let pixels = height * width
        // An axis of length 1 has the frequency 0 alone.
        let rows = height == 1 ? [0] : [-1, 0]
        let columns = width == 1 ? [0] : [-1, 0]
        var waves: [(cosine: [Double], sine: [Double])] = []
        for row in rows {
            for column in columns {
                var angles = [Double](repeating: 0, count: pixels)
                for pixel in 0..<pixels {
                    let vertical = Double(row * (pixel / width)) / Double(height)
                    let horizontal = Double(column * (pixel % width)) / Double(width)
                    angles[pixel] = 2 * Double.pi * (vertical + horizontal)
                }
                waves.append((angles.map { cos($0) }, angles.map { sin($0) }))
            }
        }
        return try x.withElements(of: Float.self) { input in
            try Tensor.build(x.shape, of: Float.self) { out in
                for item in 0..<batch {
                    let base = item * pixels * channels
                    for i in base..<base + pixels * channels { out[i] = input[i] }
                    for wave in waves {
                        var real = [Double](repeating: 0, count: channels)
                        var imaginary = [Double](repeating: 0, count: channels)
                        for pixel in 0..<pixels {
                            let (c, s) = (wave.cosine[pixel], wave.sine[pixel])
                            let start = base + pixel * channels
                            for channel in 0..<channels {
                                let value = Double(input[start + channel])
                                real[channel] += c * value
                                imaginary[channel] -= s * value
                            }
                        }
                        let share = Double(factor - 1) / Double(pixels)
                        for pixel in 0..<pixels {
                            let (c, s) = (wave.cosine[pixel] * share, wave.sine[pixel] * share)
                            let start = base + pixel * channels
                            for channel in 0..<channels {
                                out[start + channel] += Float(c * real[channel] - s * imaginary[channel])
                            }
                        }
                    }
                }
            }
        }
    }
}
