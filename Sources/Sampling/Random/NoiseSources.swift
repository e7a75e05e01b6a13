public import Diffusion
public import Tensors

/// `RandomNoise`: torch's normal numbers from a seed (spec: families-unet-sampling.md §16).
public struct RandomNoise: NoiseSource {
    /// Batch indices above this are a mistake: every index below is drawn too.
    private static let maximumIndex = 100_000

    public let seed: UInt64
    public init(seed: UInt64) { self.seed = seed }

    /// One draw over the whole shape, or, for a latent with batch indices, one draw per index in turn, picked by index.
    ///
    /// - Throws: ``SamplingError/Code/shape`` for batch indices that do not fit the batch.
    public func noise(for latent: Latent) throws -> Tensor {
        var generator = TorchGenerator(seed: seed)
        let shape = latent.samples.shape
        guard let indices = latent.batchIndices else { return try generator.normal(shape) }
        guard shape.rank > 0, indices.count == shape[0], let last = indices.max() else {
            throw SamplingError(
                .shape, "\(indices.count) batch indices do not fit a latent of shape \(shape)")
        }
        guard indices.allSatisfy({ (0...Self.maximumIndex).contains($0) }) else {
            throw SamplingError(
                .parameter, "batch indices must lie between 0 and \(Self.maximumIndex); found \(indices)")
        }
        let wanted = Set(indices)
        var drawn: [Int: Tensor] = [:]
        for index in 0...last {
            let item = try generator.normal(shape.replacing(0, with: 1))
            if wanted.contains(index) { drawn[index] = item }
        }
        return try HostMath.concatenate(indices.compactMap { drawn[$0] }, axis: 0)
    }
}

/// `DisableNoise`: zeros.
public struct DisableNoise: NoiseSource {
    public let seed: UInt64 = 0
    public init() {}
    public func noise(for latent: Latent) throws -> Tensor { try Tensor.zeros(latent.samples.shape) }
}

/// A sampler's own noise source: a new generator with the run's seed, so its first draw equals the initial noise.
struct StepNoise {
    private var generator: TorchGenerator
    private let shape: Shape

    init(seed: UInt64, shape: Shape) {
        generator = TorchGenerator(seed: seed)
        self.shape = shape
    }

    mutating func next() throws -> Tensor { try generator.normal(shape) }
}
