import Diffusion
import NodeKit
import Tensors

/// The latent of a picture.
struct VAEEncode: Node {
    static let info = NodeInfo("VAEEncode", displayName: "VAE Encode", category: "latent")

    @Input var pixels: Image
    @Input var vae: AutoencoderValue
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = Latent(samples: try vae.autoencoder.encode(pixels.tensor, on: context.backend))
    }
}

/// The picture of a latent.
struct VAEDecode: Node {
    static let info = NodeInfo(
        "VAEDecode", displayName: "VAE Decode", category: "latent", description: "Turns a latent into a picture.")

    @Input(.tooltip("The latent to decode.")) var samples: Latent
    @Input(.tooltip("The VAE of the model that made the latent.")) var vae: AutoencoderValue
    @Output var image: Image

    func run(_ context: NodeContext) async throws {
        let latent = samples.samples
        guard try !HostMath.hasNonFinite(latent) else {
            throw NodeError(
                "the latent has values that are not numbers (NaN or infinite), so there is no picture in it; check the "
                    + "sampler's settings and the model and LoRA files, or use --precision fp32")
        }
        image = Image(try vae.autoencoder.decode(latent, on: context.backend))
    }
}
