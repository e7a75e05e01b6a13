import Diffusion
import Models
import NodeKit
import Tensors

/// The latent of a picture.
struct VAEEncode: Node {
    static let info = NodeInfo("VAEEncode", displayName: "VAE Encode", category: "latent")

    @Input var pixels: Image
    @Input var vae: AutoencoderValue
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        latent = Latent(samples: try vae.encode(pixels.tensor, context))
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
        image = Image(try vae.decode(latent, context))
    }
}

extension AutoencoderValue {
    /// The picture of a latent; in tiles where the memory for the node is too small for one piece.
    func decode(_ latent: Tensor, _ context: NodeContext) throws -> Tensor {
        guard let tiled = autoencoder as? any TiledAutoencoder else {
            return try autoencoder.decode(latent, on: context.backend)
        }
        return try tiled.decode(
            latent, within: context.availableMemory?(), on: context.backend, note: context.warn)
    }

    /// The latent of a picture; in tiles where the memory for the node is too small for one piece.
    func encode(_ image: Tensor, _ context: NodeContext) throws -> Tensor {
        guard let tiled = autoencoder as? any TiledAutoencoder else {
            return try autoencoder.encode(image, on: context.backend)
        }
        return try tiled.encode(
            image, within: context.availableMemory?(), on: context.backend, note: context.warn)
    }
}
