import Diffusion
import Images
import NodeKit
import Tensors

/// The part of a latent within a rectangle given in pixels, at least eight cells from the far sides.
struct LatentCrop: Node {
    static let info = NodeInfo("LatentCrop", displayName: "Crop Latent", category: "latent/transform")

    @Input var samples: Latent
    @Input(.range(64...16384), .step(8)) var width = 512
    @Input(.range(64...16384), .step(8)) var height = 512
    @Input(.range(0...16384), .step(8)) var x = 0
    @Input(.range(0...16384), .step(8)) var y = 0
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        let size = try samples.size
        try requireInRange(width, "width", 8...1_048_576)
        try requireInRange(height, "height", 8...1_048_576)
        let (left, top) = (max(min(x / 8, size.width - 8), 0), max(min(y / 8, size.height - 8), 0))
        latent = samples
        latent.samples = try samples.samples
            .slice(axis: 2, top..<min(top + height / 8, size.height))
            .slice(axis: 3, left..<min(left + width / 8, size.width))
            .asFloat32()
    }
}

/// A latent upside down or mirrored.
struct LatentFlip: Node {
    static let info = NodeInfo("LatentFlip", displayName: "Flip Latent", category: "latent/transform")

    @Input var samples: Latent
    @Input(.choices(["x-axis: vertically", "y-axis: horizontally"])) var flipMethod: String
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        _ = try samples.size
        latent = samples
        latent.samples = try flipAxis(samples.samples, flipMethod.hasPrefix("x") ? 2 : 3)
    }
}

/// A latent turned clockwise.
struct LatentRotate: Node {
    static let info = NodeInfo("LatentRotate", displayName: "Rotate Latent", category: "latent/transform")

    @Input var samples: Latent
    @Input(.choices(["none", "90 degrees", "180 degrees", "270 degrees"])) var rotation: String
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        _ = try samples.size
        latent = samples
        latent.samples = try rotateClockwise(
            samples.samples, quarterTurns: QuarterTurns.count(rotation), rowAxis: 2)
    }
}

/// Two latents one behind the other along an axis; the second's batch is cycled or cut.
struct LatentConcat: Node {
    static let info = NodeInfo("LatentConcat", category: "latent/advanced", style: .v3)

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Input(.choices(["x", "-x", "y", "-y", "t", "-t"])) var dim: String
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        let rank = samples1.samples.shape.rank
        guard rank >= 3, rank == samples2.samples.shape.rank else {
            throw NodeError(
                "latents of shapes \(samples1.samples.shape) and \(samples2.samples.shape) cannot be joined")
        }
        let other = try HostMath.cycleBatch(samples2.samples, to: samples1.samples.shape[0])
        let parts = dim.hasPrefix("-") ? [other, samples1.samples] : [samples1.samples, other]
        latent = samples1
        latent.samples = try HostMath.concatenate(parts, axis: rank - LatentAxis.distance(dim))
    }
}

/// A stretch of a latent along an axis; a negative index counts from the end.
struct LatentCut: Node {
    static let info = NodeInfo("LatentCut", category: "latent/advanced", style: .v3)

    @Input var samples: Latent
    @Input(.choices(["x", "y", "t"])) var dim: String
    @Input(.range(-16384...16384), .step(1)) var index = 0
    @Input(.range(1...16384), .step(1)) var amount = 1
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        let rank = samples.samples.shape.rank
        guard rank >= 3 else { throw NodeError("a latent of shape \(samples.samples.shape) has no axis \"\(dim)\"") }
        try requireInRange(amount, "amount", 1...1_048_576)
        let axis = rank - LatentAxis.distance(dim)
        let length = samples.samples.shape[axis]
        guard length > 0 else { throw NodeError("the latent is empty: \(samples.samples.shape)") }
        let start = index >= 0 ? min(index, length - 1) : max(index, -length) + length
        latent = samples
        latent.samples = try samples.samples.slice(axis: axis, start..<min(start + amount, length)).asFloat32()
    }
}

/// The axes of latents as the nodes name them; a minus sign puts the second latent first.
private enum LatentAxis {
    /// How far from the end of the shape the axis stands.
    static func distance(_ name: String) -> Int { name.hasSuffix("x") ? 1 : name.hasSuffix("y") ? 2 : 3 }
}
