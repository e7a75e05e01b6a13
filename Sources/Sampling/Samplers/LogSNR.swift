import Diffusion
import Glibc
import Tensors

/// λ, half the logarithm of the signal-to-noise ratio: −ln σ for latent + σ·noise, ln((1−σ)/σ) for flow models
/// (Lu et al. 2022, DPM-Solver; spec: families-unet-sampling.md §14). float32.
struct LogSNR {
    let isFlow: Bool

    init(_ sampling: any ModelSampling) { isFlow = sampling.isFlow }

    func lambda(_ sigma: Float) -> Float { isFlow ? log((1 - sigma) / sigma) : -log(sigma) }
    func sigma(_ lambda: Float) -> Float { isFlow ? 1 / (1 + exp(lambda)) : exp(-lambda) }
    /// Size of the picture in x: σ·e^λ, that is 1 or 1 − σ.
    func alpha(_ sigma: Float, _ lambda: Float) -> Float { sigma * exp(lambda) }

    /// A schedule on which λ is finite: for flow models a leading σ ≥ 1 becomes the level after 1e-4 of a run.
    static func finite(_ sigmas: [Float], _ sampling: any ModelSampling) -> [Float] {
        guard sampling.isFlow, let first = sigmas.first, first >= 1 else { return sigmas }
        return [Float(sampling.percentToSigma(1e-4))] + sigmas.dropFirst()
    }
}

/// Brownian noise over a schedule, from its smallest positive to its largest level; made when first asked for, since a
/// single step to 0 needs none.
struct BrownianNoise {
    private let sigmas: [Float]
    private let seed: UInt64
    private let shape: Shape
    private var tree: BrownianTree?

    init(_ sigmas: [Float], seed: UInt64, shape: Shape) {
        self.sigmas = sigmas
        self.seed = seed
        self.shape = shape
    }

    mutating func callAsFunction(from: Float, to: Float) throws -> Tensor {
        let known =
            try tree
            ?? BrownianTree(
                shape: shape, low: sigmas.filter { $0 > 0 }.min() ?? 0, high: sigmas.max() ?? 1, seed: seed)
        tree = known
        return try known.noise(from: from, to: to)
    }
}
