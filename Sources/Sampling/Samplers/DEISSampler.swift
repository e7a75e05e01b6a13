public import Diffusion
import Glibc
public import Tensors

/// DEIS, exponential integrators with polynomial extrapolation of the slopes in the time of a variance-preserving
/// diffusion (Zhang and Chen 2023, "tAB-DEIS", order up to 3).
public struct DEISSampler: Sampler {
    public let name = "deis"
    private let order: Int
    private static let points = 10_000

    public init(order: Int = 3) { self.order = min(max(order, 1), 3) }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        let times = Self.times(sigmas)
        var x = start
        // Newest first.
        var slopes: [Tensor] = []
        for step in sigmas.indices.dropLast() {
            let (sigma, next) = (sigmas[step], sigmas[step + 1])
            let denoised = try denoiser(x, sigma)
            let before = x
            slopes.insert(try SamplerStep.slope(x, denoised, sigma), at: 0)
            if slopes.count > order { slopes.removeLast() }
            if next <= 0 || slopes.count == 1 {
                x = try SamplerStep.euler(x, denoised, from: sigma, to: next)
            } else {
                let nodes = slopes.indices.map { times[step - $0] }
                for (slope, weight) in zip(slopes, Self.weights(nodes, to: times[step + 1])) {
                    x = try Elementwise.zip(x, slope) { $0 + weight * $1 }
                }
            }
            try onStep(.init(step, of: sigmas, before, denoised))
        }
        return (x, sigmas[sigmas.count - 1])
    }

    /// The linear β schedule whose σ runs from 0.002 to 80 on (0.001, 1).
    private static let slopeOfBeta: Double = {
        let (low, high) = (log(0.002 * 0.002 + 1), log(80.0 * 80.0 + 1))
        return 2 * (low / 0.001 - high) / (0.001 - 1)
    }()
    private static let firstBeta = log(80.0 * 80.0 + 1) - 0.5 * slopeOfBeta

    /// The times of all levels: in float32 like the reference's, whose rounding shows on flow models; exactly where that
    /// would make neighbours equal and the polynomials undefined.
    private static func times(_ sigmas: [Float]) -> [Double] {
        let (slope, first) = (Float(slopeOfBeta), Float(firstBeta))
        let rounded = sigmas.map { sigma in
            ((first * first + 2 * slope * log(sigma * sigma + 1)).squareRoot() - first) / slope
        }
        if zip(rounded, rounded.dropFirst()).allSatisfy({ $0 != $1 }) { return rounded.map(Double.init) }
        return sigmas.map { sigma in
            let variance = Double(sigma) * Double(sigma)
            return ((firstBeta * firstBeta + 2 * slopeOfBeta * log1p(variance)).squareRoot() - firstBeta) / slopeOfBeta
        }
    }

    /// ∫ w(t)·Lⱼ(t) dt over the step by a sum of rectangles, for the Lagrange polynomials of the nodes.
    private static func weights(_ nodes: [Double], to end: Double) -> [Float] {
        let start = nodes[0]
        let step = (end - start) / Double(points)
        var sums = [Double](repeating: 0, count: nodes.count)
        for index in 0..<points {
            let t = start + (end - start) * Double(index) / Double(points - 1)
            let exponent = -0.5 * t * t * slopeOfBeta - t * firstBeta
            let derivative = -t * slopeOfBeta - firstBeta
            let weight = -0.5 * derivative / (exp(exponent) * -expm1(exponent)).squareRoot()
            for j in nodes.indices {
                var product = weight
                for k in nodes.indices where k != j { product *= (t - nodes[k]) / (nodes[j] - nodes[k]) }
                sums[j] += product
            }
        }
        return sums.map { Float($0 * step) }
    }
}
