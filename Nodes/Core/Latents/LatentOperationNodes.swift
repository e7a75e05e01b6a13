import Diffusion
import Images
import NodeKit
import Sampling
import Tensors

/// LATENT_OPERATION: a function of latents.
struct LatentOperation: NodeValue {
    static let socketType = "LATENT_OPERATION"
    let apply: @Sendable (Tensor) throws -> Tensor
}

/// Applies an operation to a latent.
struct LatentApplyOperation: Node {
    static let info = NodeInfo(
        "LatentApplyOperation", category: "latent/advanced/operations", style: .v3
    ).experimental

    @Input var samples: Latent
    @Input var operation: LatentOperation
    @Output var result: Latent

    func run(_ context: NodeContext) async throws {
        result = samples
        result.samples = try operation.apply(samples.samples)
    }
}

/// Applies an operation to the difference between positive and negative at every step.
struct LatentApplyOperationCFG: Node {
    static let info = NodeInfo(
        "LatentApplyOperationCFG", category: "latent/advanced/operations", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input var operation: LatentOperation
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let operation = operation
        result = model.adjustingEstimates {
            { inputs in
                guard let negative = inputs.negative else {
                    inputs.positive = try operation.apply(inputs.positive)
                    return
                }
                let changed = try operation.apply(HostMath.subtract(inputs.positive, negative))
                inputs.positive = try HostMath.add(changed, negative)
            }
        }
    }
}

/// Compresses the lengths of a latent's vectors as Reinhard et al. 2002 compress brightness: L·w/(L + w), where the
/// white point w is the mean plus five deviations, times `multiplier`.
struct LatentOperationTonemapReinhard: Node {
    static let info = NodeInfo(
        "LatentOperationTonemapReinhard", category: "latent/advanced/operations", style: .v3
    ).experimental

    @Input(.range(0.0...100.0), .step(0.01)) var multiplier = 1.0
    @Output var operation: LatentOperation

    func run(_ context: NodeContext) async throws {
        let multiplier = multiplier
        operation = LatentOperation { latent in
            try LatentVectors.rescaled(latent) { lengths in
                let mean = lengths.reduce(0, +) / Double(lengths.count)
                let sum = lengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let deviation = lengths.count > 1 ? (sum / Double(lengths.count - 1)).squareRoot() : 0
                let white = (mean + 5 * deviation) * multiplier
                return lengths.map { white > 0 ? $0 * white / ($0 + white) : 0 }
            }
        }
    }
}

/// Sharpens the directions of a latent's vectors: each plus 10·alpha times its difference from the blurred ones.
struct LatentOperationSharpen: Node {
    static let info = NodeInfo(
        "LatentOperationSharpen", category: "latent/advanced/operations", style: .v3
    ).experimental

    @Input(.range(1...31), .step(1)) var sharpenRadius = 9
    @Input(.range(0.1...10.0), .step(0.1)) var sigma = 1.0
    @Input(.range(0.0...5.0), .step(0.01)) var alpha = 0.1
    @Output var operation: LatentOperation

    func run(_ context: NodeContext) async throws {
        let (radius, sigma, factor) = (sharpenRadius, sigma, Float(10 * alpha))
        operation = LatentOperation { latent in
            guard latent.shape.rank == 4 else {
                throw NodeError("latents have the shape [batch, channels, h, w], found \(latent.shape)")
            }
            var lengths: [Double] = []
            let directions = try LatentVectors.rescaled(latent, least: 1e-6) { found in
                lengths += found
                return found.map { _ in 1 }
            }
            let rows = try directions.permuted([0, 2, 3, 1]).asFloat32()
            let blurred = try blurImage(rows, radius: radius, sigma: sigma)
            let sharp = try HostMath.zip(rows, blurred) { $0 + factor * ($0 - $1) }.permuted([0, 3, 1, 2]).asFloat32()
            let pixels = latent.shape[2] * latent.shape[3]
            return try LatentVectors.multiplied(sharp) { Array(lengths[$0 * pixels..<($0 + 1) * pixels]) }
        }
    }
}

/// The vectors over the channels of a latent `[batch, channels, h, w]`.
private enum LatentVectors {
    /// Every vector with another length.
    ///
    /// - Parameters:
    ///   - least: added to the lengths.
    ///   - change: from an item's lengths to the new ones.
    static func rescaled(
        _ latent: Tensor, least: Double = 1e-10, _ change: ([Double]) -> [Double]
    ) throws -> Tensor {
        let x = try latent.asFloat32()
        return try multiplied(x) { item in
            let (channels, pixels) = (x.shape[1], x.shape[2] * x.shape[3])
            let values = try x.slice(axis: 0, item..<item + 1).floats()
            let lengths = (0..<pixels).map { pixel in
                let sum = (0..<channels).reduce(0.0) { sum, channel in
                    let value = Double(values[channel * pixels + pixel])
                    return sum + value * value
                }
                return sum.squareRoot() + least
            }
            return zip(change(lengths), lengths).map { $0 / $1 }
        }
    }

    /// Every vector times its factor.
    ///
    /// - Parameter factors: of an item's vectors, row by row.
    static func multiplied(_ x: Tensor, _ factors: (Int) throws -> [Double]) throws -> Tensor {
        guard x.shape.rank == 4 else {
            throw NodeError("latents have the shape [batch, channels, h, w], found \(x.shape)")
        }
        let (batch, channels, pixels) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let all = try (0..<batch).map(factors)
        return try x.withElements(of: Float.self) { values in
            try Tensor.build(x.shape, of: Float.self) { out in
                for i in 0..<batch * channels * pixels {
                    out[i] = values[i] * Float(all[i / (channels * pixels)][i % pixels])
                }
            }
        }
    }
}
