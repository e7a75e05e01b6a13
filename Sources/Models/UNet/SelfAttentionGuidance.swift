import Diffusion
import Glibc
import Images
public import Sampling
public import Tensors

/// Self-attention guidance (Hong et al. 2023, "Improving Sample Quality of Diffusion Models Using Self-Attention
/// Guidance"): where the middle of the UNet pays most attention the negative's estimate is blurred, and the result moves
/// away from what the network makes of that: D + scale·(blurred − D(blurred)).
public enum SelfAttentionGuidance {
    /// - Parameters:
    ///   - inputs: of a model with a UNet.
    ///   - sigma: standard deviation of the blur, in latent elements; its kernel is 9 wide.
    public static func apply(_ inputs: GuidanceInputs, scale: Float, sigma: Double) throws -> Tensor {
        guard scale != 0, var watched = inputs.network as? UNetNetwork else { return inputs.denoised }
        let probe = UNetAttentionProbe()
        watched.options.attentionProbe = probe
        let estimate = try inputs.negativeEstimate(inputs.x, watched)
        guard let attention = try probe.map() else { return inputs.denoised }
        let blurred = try blur(estimate, where: attention, sigma: sigma)
        // The same noise over the blurred picture.
        let x = try HostMath.zip(inputs.x, estimate, blurred) { $0 - $1 + $2 }
        let answer = try inputs.negativeEstimate(x, nil)
        return try HostMath.zip(inputs.denoised, blurred, answer) { $0 + ($1 - $2) * scale }
    }

    /// The picture, blurred where tokens receive more attention than one query has to give.
    static func blur(_ x: Tensor, where attention: Tensor, sigma: Double) throws -> Tensor {
        let shape = x.shape
        let (batch, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
        let mask = try commonUpscale(
            HostMath.cycleBatch(HostMath.map(attention) { $0 > 1 ? 1 : 0 }, to: batch), width: width, height: height,
            method: .nearest)
        let smooth = try gaussian(x, sigma: sigma)
        return try x.asFloat32().withElements(of: Float.self) { sharp in
            try smooth.withElements(of: Float.self) { smooth in
                try mask.withElements(of: Float.self) { mask in
                    try Tensor.build(shape, of: Float.self) { out in
                        let plane = height * width
                        for i in 0..<batch * channels * plane {
                            let m = mask[i / (channels * plane) * plane + i % plane]
                            out[i] = smooth[i] * m + sharp[i] * (1 - m)
                        }
                    }
                }
            }
        }
    }

    /// A Gaussian blur over 9 × 9 elements with mirrored edges.
    static func gaussian(_ x: Tensor, sigma: Double) throws -> Tensor {
        guard sigma > 0 else { return try x.asFloat32() }
        let weights = (-4...4).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let total = weights.reduce(0, +)
        let kernel = weights.map { Float($0 / total) }
        let (height, width) = (x.shape[2], x.shape[3])
        var values = try x.floats()
        let rows = (length: width, step: 1, other: height, jump: width)
        let columns = (length: height, step: width, other: width, jump: 1)
        for axis in [rows, columns] {
            var line = [Float](repeating: 0, count: axis.length)
            for plane in 0..<x.shape[0] * x.shape[1] {
                for index in 0..<axis.other {
                    let start = plane * height * width + index * axis.jump
                    for i in 0..<axis.length {
                        var sum: Float = 0
                        for (tap, weight) in kernel.enumerated() {
                            sum += weight * values[start + mirrored(i + tap - 4, axis.length) * axis.step]
                        }
                        line[i] = sum
                    }
                    for i in 0..<axis.length { values[start + i * axis.step] = line[i] }
                }
            }
        }
        return try Tensor(values, shape: x.shape)
    }

    /// A position outside mirrored into the line as often as need be, without repeating its ends.
    private static func mirrored(_ position: Int, _ length: Int) -> Int {
        if length == 1 { return 0 }
        let period = 2 * (length - 1)
        let folded = ((position % period) + period) % period
        return folded < length ? folded : period - folded
    }
}
