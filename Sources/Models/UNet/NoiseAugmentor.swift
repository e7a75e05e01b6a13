import Checkpoints
import Glibc
import Layers
import Sampling
import Tensors

/// Noise on the embeddings of pictures, so that a model takes over less than their detail (Ramesh et al. 2022,
/// arXiv:2204.06125; Stable unCLIP, github.com/Stability-AI/stablediffusion, MIT): the embedding is normalised by the
/// training set's statistics, diffused to a level of a cosine schedule, brought back, and the level told beside it.
struct NoiseAugmentor: Sendable {
    /// Keys of a checkpoint that stand outside the network.
    static let markers = ["noise_augmentor.data_mean", "noise_augmentor.data_std"]

    /// Width of an embedding; the level is told in as many numbers.
    let width: Int
    /// The level of noise that the sum of several pictures gets, 0…1.
    let levelOfSums: Double
    private let mean: [Float]
    private let deviation: [Float]
    /// √ᾱ and √(1 − ᾱ) of every level.
    private let levels: [(signal: Float, noise: Float)]

    private static let count = 1000

    /// - Parameter source: with the statistics under ``markers``; without them embeddings are taken as they are.
    init(_ source: WeightSource, width: Int, levelOfSums: Double) throws(CheckpointError) {
        self.width = width
        self.levelOfSums = levelOfSums
        func statistic(_ key: String, _ standard: Float) throws(CheckpointError) -> [Float] {
            guard let tensor = source.pieces[key]?.first?.tensor else {
                return [Float](repeating: standard, count: width)
            }
            guard tensor.count == width, let values = try? tensor.floats() else {
                throw CheckpointError(
                    .shapeMismatch, "\(source.name): \"\(key)\" has the shape \(tensor.shape), expected [\(width)]")
            }
            return values
        }
        mean = try statistic(Self.markers[0], 0)
        deviation = try statistic(Self.markers[1], 1)
        source.markUsed(Self.markers)
        levels = Self.cosineLevels()
    }

    /// β = min(1 − ᾱ(t₂)/ᾱ(t₁), 0.999) with ᾱ(t) = cos²((t + 0.008)/1.008 · π/2) (Nichol and Dhariwal 2021,
    /// arXiv:2102.09672).
    private static func cosineLevels() -> [(signal: Float, noise: Float)] {
        func remaining(_ t: Double) -> Double {
            let c = cos((t + 0.008) / 1.008 * Double.pi / 2)
            return c * c
        }
        var product = 1.0
        return (0..<count).map { index in
            let (from, to) = (Double(index) / Double(count), Double(index + 1) / Double(count))
            product *= 1 - min(1 - remaining(to) / remaining(from), 0.999)
            return (Float(product.squareRoot()), Float((1 - product).squareRoot()))
        }
    }

    /// The label vector `[1, 2 · width]`: the embedding and its level of noise, weighted; of several pictures the sum,
    /// once more with noise.
    ///
    /// - Parameter seed: of the run; the noise is the same in every step.
    func vector(_ pictures: [SeenPictures], seed: UInt64) throws -> Tensor {
        var vectors: [[Float]] = []
        for seen in pictures {
            guard seen.embeds.shape.rank == 2, seen.embeds.shape[1] == width else {
                throw CheckpointError(
                    .shapeMismatch,
                    "the model takes pictures as \(width) numbers, the image encoder gave \(seen.embeds.shape): choose the "
                        + "image encoder that belongs to the model")
            }
            let values = try seen.embeds.floats()
            for index in 0..<seen.embeds.shape[0] {
                let one = Array(values[index * width..<(index + 1) * width])
                vectors.append(try augmented(one, seen.noiseAugmentation, seed).map { $0 * seen.strength })
            }
        }
        guard var sum = vectors.first else { return try Tensor.zeros([1, 2 * width]) }
        if vectors.count > 1 {
            for vector in vectors.dropFirst() { for i in sum.indices { sum[i] += vector[i] } }
            sum = try augmented(Array(sum[..<width]), levelOfSums, seed)
        }
        return try Tensor(sum, shape: [1, 2 * width])
    }

    private func augmented(_ embedding: [Float], _ strength: Double, _ seed: UInt64) throws -> [Float] {
        let last = Double(Self.count - 1)
        let level = Int((last * min(max(strength.isNaN ? 0 : strength, 0), 1)).rounded(.toNearestOrEven))
        var generator = TorchGenerator(seed: seed)
        let noise = try generator.normal([1, width]).floats()
        let (signal, share) = levels[level]
        let values = embedding.indices.map { i in
            ((embedding[i] - mean[i]) / deviation[i] * signal + share * noise[i]) * deviation[i] + mean[i]
        }
        return try values + timeEmbedding([Float(level)], width: width).floats()
    }
}
