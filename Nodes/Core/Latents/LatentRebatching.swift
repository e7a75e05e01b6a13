import Diffusion
import Images
import NodeKit
import Tensors

/// Collects items of latents into batches of one size and shape.
struct LatentRebatching {
    private let size: Int
    /// Single items, by batch.
    private var groups: [[Latent]] = []
    /// The place that the next item without one of its own gets.
    private var nextIndex = 0

    init(size: Int) { self.size = size }

    /// Every item goes into the last batch if it has the same shape and there is room, else into a new one.
    ///
    /// - Throws: ``NodeError`` for a latent without items.
    mutating func add(_ latent: Latent) throws {
        let shape = latent.samples.shape
        guard shape.rank == 4, shape.count > 0 else {
            throw NodeError("a latent has the shape [batch, channels, height, width], found \(shape)")
        }
        let count = shape[0]
        let indices = latent.batchIndices ?? Array(nextIndex..<nextIndex + count)
        guard indices.count == count else {
            throw NodeError("a latent has \(indices.count) batch indices for \(count) items")
        }
        nextIndex += count
        let masks = try masks(of: latent)
        for item in 0..<count {
            let range = item..<item + 1
            let single = Latent(
                samples: try latent.samples.slice(axis: 0, range).asFloat32(),
                noiseMask: try masks.slice(axis: 0, range).asFloat32(), batchIndices: [indices[item]])
            if let last = groups.last, last.count < size, last[0].samples.shape == single.samples.shape {
                groups[groups.count - 1].append(single)
            } else {
                groups.append([single])
            }
        }
    }

    /// The batches. A mask that is 1 everywhere is left out.
    var batches: [Latent] {
        get throws {
            try groups.map { items in
                let mask = try HostMath.concatenate(items.compactMap(\.noiseMask), axis: 0)
                let isNeeded = try mask.floats().contains { $0 != 1 }
                return Latent(
                    samples: try HostMath.concatenate(items.map(\.samples), axis: 0), noiseMask: isNeeded ? mask : nil,
                    batchIndices: items.flatMap { $0.batchIndices ?? [] })
            }
        }
    }

    /// One mask per item in the size of the pictures; 1 everywhere where there is none.
    private func masks(of latent: Latent) throws -> Tensor {
        let shape = latent.samples.shape
        let (height, width) = (shape[2] * 8, shape[3] * 8)
        guard let mask = latent.noiseMask else { return try Tensor.full([shape[0], 1, height, width], 1) }
        let planes = try resizeMask(mask, width: width, height: height, method: .bilinear)
        return try HostMath.cycleBatch(planes.reshaped([planes.shape[0], 1, height, width]), to: shape[0])
    }
}
