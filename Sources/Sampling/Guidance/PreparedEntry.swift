import Diffusion
import Tensors

/// A conditioning entry made ready for a run.
struct PreparedEntry {
    /// With context and pooled vector of the latent's batch size.
    let entry: ConditioningEntry
    let controls: [(prepared: any PreparedControl, range: SigmaRange)]
    /// Part of the latent that is predicted; `nil` is all of it.
    let area: LatentArea?
    let strength: Float
    /// Weights `[batch, 1, h, w]` of the area's size, before the strength; `nil` is 1 everywhere.
    let mask: Tensor?
    private let range: SigmaRange

    init(_ entry: ConditioningEntry, geometry: RunGeometry, controls: inout ControlPreparations) throws {
        let sampling = geometry.sampling
        range = entry[TimestepRange.self].map { SigmaRange($0, sampling) } ?? SigmaRange()
        self.controls = try (entry[Control.self] ?? []).map { attachment in
            (try controls.prepared(attachment), SigmaRange(attachment.range, sampling))
        }
        strength = entry[EntryStrength.self] ?? 1
        (area, mask) = try EntryPlacement.resolve(entry, latentShape: geometry.latentShape)

        for tensor in [entry.context] + (entry[PooledOutput.self].map { [$0] } ?? [])
        where tensor.shape.rank < 2 || tensor.shape[0] == 0 {
            throw SamplingError(
                .shape, "a conditioning has text features [batch, …]; found \(tensor.shape)")
        }
        let batch = geometry.latentShape[0]
        var fitted = entry
        fitted.context = try HostMath.cycleBatch(entry.context, to: batch)
        if let pooled = entry[PooledOutput.self] {
            fitted[PooledOutput.self] = try HostMath.cycleBatch(pooled, to: batch)
        }
        self.entry = fitted
    }

    func isActive(at sigma: Float) -> Bool { range.contains(sigma) }

    /// Whether the weighted average of this entry alone is its estimate.
    var coversEverything: Bool { area == nil && mask == nil && strength == 1 }
}

/// Σ estimate·weight and Σ weight over the latent.
struct WeightedSum {
    private let shape: Shape
    private var sum: [Float]
    /// Starts at a number so small that it only keeps 0/0 from happening.
    private var weights: [Float]

    init(shape: Shape) throws {
        guard shape.rank == 4 else {
            throw SamplingError(.shape, "a latent has the shape [batch, channels, h, w]; found \(shape)")
        }
        self.shape = shape
        sum = [Float](repeating: 0, count: shape.count)
        weights = [Float](repeating: 1e-37, count: shape.count)
    }

    mutating func add(_ estimate: Tensor, _ entry: PreparedEntry) throws {
        let (channels, rows, columns) = (shape[1], shape[2], shape[3])
        let area = entry.area ?? LatentArea(height: rows, width: columns, y: 0, x: 0)
        let feather = entry.mask == nil ? area.feathering(rows: rows, columns: columns) : nil
        let strength = entry.strength
        let mask = try entry.mask?.floats()
        try estimate.asFloat32().withElements(of: Float.self) { values in
            guard values.count == shape[0] * channels * area.height * area.width else {
                throw SamplingError(.shape, "an estimate of shape \(estimate.shape) does not fit the area \(area)")
            }
            var at = 0
            for batch in 0..<shape[0] {
                for channel in 0..<channels {
                    for row in 0..<area.height {
                        var target = ((batch * channels + channel) * rows + area.y + row) * columns + area.x
                        for column in 0..<area.width {
                            var weight = strength
                            if let mask {
                                weight *= mask[(batch * area.height + row) * area.width + column]
                            } else if let feather {
                                weight *= feather[row * area.width + column]
                            }
                            sum[target] += values[at] * weight
                            weights[target] += weight
                            target += 1
                            at += 1
                        }
                    }
                }
            }
        }
    }

    func average() throws -> Tensor {
        try Tensor.build(shape, of: Float.self) { out in
            for i in out.indices { out[i] = sum[i] / weights[i] }
        }
    }
}
