import Diffusion
import Images
import NodeKit
import Tensors

/// The items of two latents; the second are brought to the size of the first.
struct LatentBatch: Node {
    static let info = NodeInfo("LatentBatch", category: "latent/batch", style: .v3)

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Output var batch: Latent

    func run(_ context: NodeContext) async throws {
        let (first, second) = (samples1.samples, samples2.samples)
        guard first.shape.rank == 4, second.shape.rank == 4 else {
            throw NodeError("latents of shapes \(first.shape) and \(second.shape) cannot share a batch")
        }
        batch = samples1
        let fitting = try fittedLatent(second, to: first.shape.replacing(0, with: second.shape[0]))
        batch.samples = try HostMath.concatenate([first, fitting], axis: 0)
        batch.batchIndices = samples1.indices + samples2.indices
    }
}

/// Some items of a latent, with the noise that belongs to their places.
struct LatentFromBatch: Node {
    static let info = NodeInfo("LatentFromBatch", displayName: "Latent From Batch", category: "latent/batch")

    @Input var samples: Latent
    @Input(.range(0...63)) var batchIndex = 0
    @Input(.range(1...64)) var length = 1
    @Output var part: Latent

    func run(_ context: NodeContext) async throws {
        let count = samples.samples.shape.array.first ?? 0
        let range = BatchRange.clamped(batchIndex, length, of: count)
        part = samples
        part.samples = try samples.samples.slice(axis: 0, range).asFloat32()
        if let mask = samples.noiseMask, mask.shape[0] > 1 {
            part.noiseMask = try HostMath.cycleBatch(mask, to: count).slice(axis: 0, range).asFloat32()
        }
        let indices = samples.indices
        guard indices.count == count else {
            throw NodeError("the latent has \(indices.count) batch indices for \(count) items")
        }
        part.batchIndices = Array(indices[range])
    }
}

/// A latent several times over; items with places of their own get new ones.
struct RepeatLatentBatch: Node {
    static let info = NodeInfo("RepeatLatentBatch", displayName: "Repeat Latent Batch", category: "latent/batch")

    @Input var samples: Latent
    @Input(.range(1...64)) var amount = 1
    @Output var repeated: Latent

    func run(_ context: NodeContext) async throws {
        let old = samples.samples.shape.array.first ?? 0
        let count = try BatchRange.repeated(old, amount)
        repeated = samples
        repeated.samples = try HostMath.cycleBatch(samples.samples, to: count)
        if let mask = samples.noiseMask, mask.shape[0] > 1 {
            repeated.noiseMask = try HostMath.cycleBatch(HostMath.cycleBatch(mask, to: old), to: count)
        }
        if let indices = samples.batchIndices, let low = indices.min(), let high = indices.max() {
            let offset = high - low + 1
            repeated.batchIndices = (0..<amount).flatMap { round in indices.map { $0 + round * offset } }
        }
    }
}

/// Whether all items of a batch get the same noise ("fixed") or each its own.
struct LatentBatchSeedBehavior: Node {
    static let info = NodeInfo("LatentBatchSeedBehavior", category: "latent/advanced", style: .v3)

    @Input var samples: Latent
    @Input(.choices(["random", "fixed"])) var seedBehavior = "fixed"
    @Output var result: Latent

    func run(_ context: NodeContext) async throws {
        result = samples
        result.batchIndices =
            seedBehavior == "fixed"
            ? [Int](repeating: samples.batchIndices?.first ?? 0, count: samples.samples.shape.array.first ?? 0) : nil
    }
}

/// The items of all latents in batches of another size; a latent of another size starts a new batch.
struct RebatchLatents: Node {
    static let info = NodeInfo("RebatchLatents", displayName: "Rebatch Latents", category: "latent/batch", style: .v3)

    @Input var latents: [Latent]
    @Input(.range(1...4096)) var batchSize = 1
    @Output var batches: [Latent]

    func run(_ context: NodeContext) async throws {
        try requireInRange(batchSize, "batch_size", 1...1 << 20)
        var rebatching = LatentRebatching(size: batchSize)
        for latent in latents { try rebatching.add(latent) }
        batches = try rebatching.batches
    }
}

extension Latent {
    /// The places of the items in the batch they come from: their own unless something else is known.
    fileprivate var indices: [Int] { batchIndices ?? Array(0..<(samples.shape.array.first ?? 0)) }
}
