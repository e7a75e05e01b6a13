public import Diffusion
public import Tensors

/// Improved pseudo numerical methods (Liu et al. 2022, Zhang and Chen 2023): Adams–Bashforth of order up to 4 on the
/// slopes d, with the fixed coefficients of even steps (`ipndm`) or with those of the steps taken (`ipndm_v`).
public struct IPNDMSampler: Sampler {
    public let name: String
    private let variableSteps: Bool
    private let order: Int

    public init(variableSteps: Bool = false, order: Int = 4) {
        self.variableSteps = variableSteps
        self.order = min(max(order, 1), 4)
        name = variableSteps ? "ipndm_v" : "ipndm"
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
        // Newest first.
        var slopes: [Tensor] = []
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            slopes.insert(try SamplerStep.slope(x, denoised, sigma), at: 0)
            if slopes.count > order { slopes.removeLast() }
            if next == 0 {
                x = denoised
            } else {
                let lengths = slopes.indices.map { sigmas[step + 1 - $0] - sigmas[step - $0] }
                let weights = variableSteps ? Self.variable(lengths) : Self.fixed(slopes.count)
                for (slope, weight) in zip(slopes, weights) {
                    let factor = lengths[0] * weight
                    x = try Elementwise.zip(x, slope) { $0 + factor * $1 }
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    private static func fixed(_ order: Int) -> [Float] {
        switch order {
        case 1: [1]
        case 2: [3.0 / 2, -1.0 / 2]
        case 3: [23.0 / 12, -16.0 / 12, 5.0 / 12]
        default: [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24]
        }
    }

    /// Coefficients for this step's length and those before it (newest first). `bend` is not the textbook's value but
    /// the reference's (spec: families-unet-sampling.md §14).
    private static func variable(_ lengths: [Float]) -> [Float] {
        guard lengths.count > 1 else { return [1] }
        let (h, h1) = (lengths[0], lengths[1])
        let tilt = h / (2 * h1)
        if lengths.count == 2 { return [1 + tilt, -tilt] }
        let h2 = lengths[2]
        let bend = (1 - h * (h * (h + h1)) / (3 * (h + h1) * h1 * (h1 + h2))) / 2
        let ratio = h1 / h2
        if lengths.count == 3 { return [1 + tilt + bend, -tilt - (1 + ratio) * bend, bend * ratio] }
        let h3 = lengths[3]
        let inner = (1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2))
        let twist = inner * (h * (h + h1) * (h + h1 + h2)) / (h1 * (h1 + h2) * (h1 + h2 + h3))
        let far = h1 * (h1 + h2) / (h2 * (h2 + h3))
        return [
            1 + tilt + bend + twist,
            -tilt - (1 + ratio) * bend - (1 + ratio + far) * twist,
            ratio * bend + (ratio + far * (1 + h2 / h3)) * twist,
            -twist * far * h1 / h2,
        ]
    }
}
