import Diffusion
import Images
import NodeKit
import Tensors

/// The sum of two latents; the second is brought to the size of the first.
struct LatentAdd: Node {
    static let info = NodeInfo("LatentAdd", category: "latent/advanced", style: .v3)

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples1
        latent.samples = try HostMath.add(samples1.samples, samples2.samples(like: samples1))
    }
}

/// The difference of two latents; the second is brought to the size of the first.
struct LatentSubtract: Node {
    static let info = NodeInfo("LatentSubtract", category: "latent/advanced", style: .v3)

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples1
        latent.samples = try HostMath.subtract(samples1.samples, samples2.samples(like: samples1))
    }
}

/// A latent times a number.
struct LatentMultiply: Node {
    static let info = NodeInfo("LatentMultiply", category: "latent/advanced", style: .v3)

    @Input var samples: Latent
    @Input(.range(-10.0...10.0), .step(0.01)) var multiplier = 1.0
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples
        latent.samples = try HostMath.scale(samples.samples, Float(multiplier))
    }
}

/// Between two latents, directions and lengths apart; the ratio is the first's share.
struct LatentInterpolate: Node {
    static let info = NodeInfo("LatentInterpolate", category: "latent/advanced", style: .v3)

    @Input var samples1: Latent
    @Input var samples2: Latent
    @Input(.range(0.0...1.0), .step(0.01)) var ratio = 1.0
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples1
        latent.samples = try interpolateLatents(samples1.samples, samples2.samples(like: samples1), ratio: ratio)
    }
}

extension Latent {
    fileprivate func samples(like other: Latent) throws -> Tensor { try fittedLatent(samples, to: other.samples.shape) }
}
