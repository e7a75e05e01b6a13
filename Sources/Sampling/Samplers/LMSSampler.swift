public import Diffusion
public import Tensors

/// Linear multistep (Adams–Bashforth with variable steps, up to order 4; k-diffusion's LMS): the slopes of the last steps
/// are interpolated by a polynomial in σ, which is integrated over the step.
public struct LMSSampler: Sampler {
    public let name = "lms"
    private let order: Int

    public init(order: Int = 4) { self.order = max(order, 1) }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var x = start
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
                let nodes = slopes.indices.map { Double(sigmas[step - $0]) }
                for (slope, coefficient) in zip(
                    slopes, LagrangeBasis.integrals(nodes: nodes, from: Double(sigma), to: Double(next)))
                {
                    let weight = Float(coefficient)
                    x = try Elementwise.zip(x, slope) { $0 + weight * $1 }
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }
}

/// Polynomials that are 1 at one node and 0 at the others.
enum LagrangeBasis {
    /// ∫ Lⱼ(τ) dτ for every node, exactly.
    static func integrals(nodes: [Double], from: Double, to: Double) -> [Double] {
        let length = to - from
        return nodes.indices.map { j in
            // Coefficients in powers of τ − from.
            var polynomial = [1.0]
            for (k, node) in nodes.enumerated() where k != j {
                let denominator = nodes[j] - node
                let shift = from - node
                var product = [Double](repeating: 0, count: polynomial.count + 1)
                for (power, coefficient) in polynomial.enumerated() {
                    product[power] += coefficient * shift / denominator
                    product[power + 1] += coefficient / denominator
                }
                polynomial = product
            }
            var power = length
            var sum = 0.0
            for (index, coefficient) in polynomial.enumerated() {
                sum += coefficient * power / Double(index + 1)
                power *= length
            }
            return sum
        }
    }
}
