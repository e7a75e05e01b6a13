import Diffusion
import NodeKit
import Tensors

/// Attaches the mask of where the picture may change, as `[n, 1, height, width]` (families-unet-sampling.md §11.2).
struct SetLatentNoiseMask: Node {
    static let info = NodeInfo(
        "SetLatentNoiseMask", displayName: "Set Latent Noise Mask", category: "latent/inpaint")

    @Input var samples: Latent
    @Input var mask: Mask
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = samples
        latent.noiseMask = try maskWithChannel(mask)
    }
}
