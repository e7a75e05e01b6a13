import Diffusion
import NodeKit
import Tensors

/// Stands for the text encoder of a checkpoint that has none, so that the rest of the file can be used.
struct MissingTextEncoder: TextEncoder {
    let file: String
    /// The nodes that load the family's encoders.
    let loaders: String
    let family = "no text encoder"

    private var failure: NodeError {
        NodeError(
            "the checkpoint \(file) holds no text encoder that can be used; load the model's encoders with "
                + loaders)
    }

    func encode(_ prompt: PromptText, on backend: any Backend, warn: (String) -> Void) throws -> ConditioningEntry {
        throw failure
    }

    func adding(lora: NamedTensors, strength: Float) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        (self, LoRAReport())
    }

    func stoppingAt(layer: Int) -> any TextEncoder { self }
}

/// Stands for the VAE of a checkpoint that has none.
struct MissingAutoencoder: Autoencoder {
    let file: String
    let family = "no VAE"
    let latentChannels = 0
    let downscale = 8

    private var failure: NodeError {
        NodeError("the checkpoint \(file) holds no VAE; load the model's VAE with VAELoader")
    }

    func encode(_ image: Tensor, on backend: any Backend) throws -> Tensor { throw failure }
    func decode(_ latent: Tensor, on backend: any Backend) throws -> Tensor { throw failure }
}
