public import Checkpoints
public import Diffusion
import Sampling
import Tensors

/// Writes models into files that load again here and elsewhere: all-in-one checkpoints, networks, text encoders and
/// VAEs of their own, in the layouts in which the families were released (families-unet-sampling.md §1,
/// families-sd3-aura.md §1.1).
public enum CheckpointWriter {
    /// Something to be written: its tensors and what the header says of them.
    public struct Content: Sendable {
        public var tensors: [TensorToWrite]
        public var metadata: [(key: String, text: String)]
    }

    /// An all-in-one file.
    ///
    /// - Parameters:
    ///   - encoder: left out where `nil`; likewise `autoencoder`.
    ///   - sampling: the model's noise levels, as nodes changed them: UNet files say how they were trained.
    /// - Throws: ``Checkpoints/CheckpointError`` for a part whose weights cannot be read.
    public static func checkpoint(
        _ network: any DiffusionNetwork, encoder: (any TextEncoder)?, autoencoder: (any Autoencoder)?,
        sampling: any ModelSampling
    ) throws(CheckpointError) -> Content {
        guard let network = network as? any WeightedNetwork else { throw unsupported("the model", network.family) }
        let isUNet = network is UNetNetwork
        var tensors = network.source.storedWeights(prefix: "model.diffusion_model.")
        var metadata: [(key: String, text: String)] = [
            ("modelspec.sai_model_spec", "1.0.0"), ("modelspec.implementation", "graphrun"),
            ("modelspec.title", network.family),
        ]
        if isUNet {
            // What says how the network was trained stands outside of it.
            let marks = Set(UNetSampling.markers.map { "model.diffusion_model." + $0 })
            tensors.removeAll { marks.contains($0.key) }
            let (markers, prediction) = UNetSampling.markers(for: sampling)
            tensors += markers.map { TensorToWrite(key: $0.key, $0.tensor) }
            if let prediction { metadata.append(("modelspec.predict_key", prediction)) }
        }
        if let encoder {
            guard let encoder = encoder as? any WeightedTextEncoder else {
                throw unsupported("the text encoder", encoder.family)
            }
            let names = Set(encoder.sources.map(\.name))
            for source in encoder.sources {
                let place = isUNet ? unetPlace(of: source.name, among: names) : nil
                let prefix = place?.prefix ?? "text_encoders.\(source.name).transformer."
                tensors += try weights(of: source, prefix: prefix, isOpenCLIP: place?.isOpenCLIP == true)
            }
        }
        if let autoencoder {
            guard let autoencoder = autoencoder as? KLAutoencoder else {
                throw unsupported("the VAE", autoencoder.family)
            }
            tensors += autoencoder.source.storedWeights(prefix: isUNet ? "first_stage_model." : "vae.")
        }
        return Content(tensors: tensors, metadata: metadata)
    }

    /// A network alone, with the prefix it has in all-in-one files.
    public static func network(
        _ network: any DiffusionNetwork, sampling: any ModelSampling
    ) throws(CheckpointError) -> Content {
        try checkpoint(network, encoder: nil, autoencoder: nil, sampling: sampling)
    }

    /// The transformers of a text encoder, each for a file of its own, under transformers names.
    public static func encoders(
        _ encoder: any TextEncoder
    ) throws(CheckpointError) -> [(name: String, content: Content)] {
        guard let encoder = encoder as? any WeightedTextEncoder else {
            throw unsupported("the text encoder", encoder.family)
        }
        return encoder.sources.map { source in
            (source.name, Content(tensors: source.weights.storedWeights(keepsFileTypes: true), metadata: []))
        }
    }

    /// A VAE, under original names.
    public static func autoencoder(_ autoencoder: any Autoencoder) throws(CheckpointError) -> Content {
        guard let autoencoder = autoencoder as? KLAutoencoder else {
            throw unsupported("the VAE", autoencoder.family)
        }
        return Content(tensors: autoencoder.source.storedWeights(), metadata: [])
    }

    private static func unsupported(_ part: String, _ family: String) -> CheckpointError {
        CheckpointError(.unsupported, "\(part) (\(family)) cannot be saved: its weights cannot be read")
    }

    /// Where files of the UNet families keep an encoder.
    private static func unetPlace(
        of name: String, among names: Set<String>
    ) -> (prefix: String, isOpenCLIP: Bool)? {
        switch name {
        case "clip_l" where names.contains("clip_g"): ("conditioner.embedders.0.transformer.", false)
        case "clip_l": ("cond_stage_model.transformer.", false)
        case "clip_g" where names.contains("clip_l"): ("conditioner.embedders.1.model.", true)
        case "clip_g": ("conditioner.embedders.0.model.", true)
        case "clip_h": ("cond_stage_model.model.", true)
        default: nil
        }
    }

    private static func weights(
        of source: EncoderSource, prefix: String, isOpenCLIP: Bool
    ) throws(CheckpointError) -> [TensorToWrite] {
        let stored = source.weights.storedWeights(keepsFileTypes: true)
        let named = isOpenCLIP ? try CLIPKeys.openCLIP(stored) : stored
        return named.map { tensor in
            var tensor = tensor
            tensor.key = prefix + tensor.key
            return tensor
        }
    }
}
