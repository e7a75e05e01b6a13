import Diffusion
import NodeKit
import Tensors

/// An empty latent for SD1, SD2 and SDXL; other models widen it to their channels.
struct EmptyLatentImage: Node {
    static let info = NodeInfo(
        "EmptyLatentImage", displayName: "Empty Latent Image", category: "latent",
        description: "The blank start of a picture, to be filled by a sampler.")

    @Input(.range(16...16384), .step(8), .tooltip("In pixels.")) var width = 512
    @Input(.range(16...16384), .step(8), .tooltip("In pixels.")) var height = 512
    @Input(.range(1...4096), .tooltip("How many pictures.")) var batchSize = 1
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = try emptyLatent(width: width, height: height, batch: batchSize, channels: 4)
    }
}

/// An empty latent for SD3 and FLUX (families-sd3-aura.md §7).
struct EmptySD3LatentImage: Node {
    static let info = NodeInfo("EmptySD3LatentImage", category: "latent/sd3", style: .v3)

    @Input(.range(16...16384), .step(16)) var width = 1024
    @Input(.range(16...16384), .step(16)) var height = 1024
    @Input(.range(1...4096)) var batchSize = 1
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = try emptyLatent(width: width, height: height, batch: batchSize, channels: 16)
    }
}

/// Zeros `[batch, channels, ⌊height/8⌋, ⌊width/8⌋]`.
private func emptyLatent(width: Int, height: Int, batch: Int, channels: Int) throws -> Latent {
    try requireInRange(width, "width", 8...65536)
    try requireInRange(height, "height", 8...65536)
    try requireInRange(batch, "batch_size", 1...4096)
    return Latent(samples: try Tensor.zeros([batch, channels, height / 8, width / 8]))
}
