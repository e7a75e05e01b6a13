import Checkpoints
public import Diffusion
public import Tensors
import Text

/// What an all-in-one file holds.
public struct CheckpointParts: Sendable {
    public var network: any DiffusionNetwork
    public var encoder: (any TextEncoder)?
    public var autoencoder: (any Autoencoder)?
    /// The nodes that load the family's text encoders from files of their own, for people.
    public var encoderLoaders: String
}

/// Opens model files: recognises what they hold and builds it.
public enum ModelLoader {
    /// A network from a file of its own (`UNETLoader`).
    ///
    /// - Parameter weightType: the type every parameter is rounded to, if the node asks for one.
    public static func network(
        path: String, weightType: DType?, warn: (String) -> Void
    ) throws -> any DiffusionNetwork {
        let file = try CheckpointFile(path: path)
        let prefix = "model.diffusion_model."
        let hasPrefix = file.keys.contains { $0.hasPrefix(prefix) }
        var source = try WeightSource(file, prefix: hasPrefix ? prefix : "")
        source.heldAs = weightType
        return try network(source, warn: warn)
    }

    /// The parts of an all-in-one file (`CheckpointLoaderSimple`). A file without text encoders or VAE still loads.
    public static func checkpoint(
        path: String, tokenizerFolders: [String], embeddings: @escaping @Sendable (String) -> String?,
        warn: (String) -> Void
    ) throws -> CheckpointParts {
        let file = try CheckpointFile(path: path)
        var source = try WeightSource(file, prefix: networkPrefix(file))
        // What tells the prediction type stands outside the network.
        for key in UNetSampling.markers + NoiseAugmentor.markers {
            if let tensor = try file.tensor(key) { source = source.adding(key, tensor) }
        }
        let family = try family(of: source)
        let built = try network(source, warn: warn)

        var parts = TextEncoderParts(
            locator: locator(tokenizerFolders), embeddings: EmbeddingFiles(find: embeddings))
        try parts.add(checkpoint: file)
        let encoder = try family.textEncoder(parts)
        if encoder == nil {
            warn(
                "\(path) holds no complete text encoder (found: \(parts.found)); its CLIP output is empty: load the "
                    + "encoders with \(family.textEncoderLoaders)")
        }
        var autoencoder: (any Autoencoder)?
        for prefix in ["vae.", "first_stage_model."] where autoencoder == nil {
            if file.contains(prefix + "decoder.conv_in.weight") {
                autoencoder = try KLAutoencoder(WeightSource(file, prefix: prefix))
            }
        }
        if autoencoder == nil { warn("\(path) holds no VAE; its VAE output is empty: load one with VAELoader") }
        return CheckpointParts(
            network: built, encoder: encoder, autoencoder: autoencoder, encoderLoaders: family.textEncoderLoaders)
    }

    /// A VAE from a file of its own, or the VAE of an all-in-one file.
    public static func autoencoder(path: String, warn: (String) -> Void) throws -> any Autoencoder {
        let file = try CheckpointFile(path: path)
        let prefix =
            ["", "first_stage_model.", "vae."].first { file.contains($0 + "decoder.conv_in.weight") } ?? ""
        let autoencoder = try KLAutoencoder(WeightSource(file, prefix: prefix))
        report(autoencoder.unusedKeys, path, warn)
        return autoencoder
    }

    /// An image encoder.
    public static func imageEncoder(path: String, warn: (String) -> Void) throws -> CLIPVisionModel {
        let model = try CLIPVisionModel(WeightSource(CheckpointFile(path: path)))
        report(model.unusedKeys, path, warn)
        return model
    }

    /// The image encoder of an all-in-one file; `nil` if it has none.
    public static func imageEncoder(ofCheckpoint path: String) throws -> CLIPVisionModel? {
        let source = try WeightSource(CheckpointFile(path: path), prefix: "embedder.model.")
        return try CLIPVisionKeys.native(source) == nil ? nil : CLIPVisionModel(source)
    }

    /// A tiny autoencoder from the files of its halves.
    public static func tinyAutoencoder(
        _ space: LatentSpace, encoder: String?, decoder: String, warn: (String) -> Void
    ) throws -> TinyAutoencoder {
        let autoencoder = try TinyAutoencoder(
            space, encoder: encoder.map { try WeightSource(CheckpointFile(path: $0)) },
            decoder: WeightSource(CheckpointFile(path: decoder)))
        report(autoencoder.unusedKeys, decoder, warn)
        return autoencoder
    }

    /// A model that enlarges pictures.
    public static func upscaleModel(path: String, warn: (String) -> Void) throws -> UpscaleModel {
        let model = try UpscaleModel(CheckpointFile(path: path))
        report(model.unusedKeys, path, warn)
        return model
    }

    /// A ControlNet.
    ///
    /// - Parameter base: the model for which it is; files that hold only the difference from it need it.
    public static func controlNetwork(
        path: String, base: (any DiffusionNetwork)? = nil, warn: (String) -> Void
    ) throws -> any ControlNetwork {
        var source = try WeightSource(CheckpointFile(path: path))
        if source.contains("difference") { source = try DifferenceControl.completed(source, base) }
        for family in ControlFamilies.all where family.recognises(source) { return try family.network(source) }
        let supported = ControlFamilies.all.map { $0.name }.joined(separator: ", ")
        throw CheckpointError(
            .unknownFamily,
            "\(path) is not a ControlNet that is supported: \(KnownLayouts.describe(source)); supported are: \(supported)"
        )
    }

    /// A style model (`StyleModelLoader`).
    public static func styleModel(path: String) throws -> StyleModel {
        try StyleModel(WeightSource(CheckpointFile(path: path)))
    }

    /// Text encoders from files of their own, in any order (`CLIPLoader`, `DualCLIPLoader`).
    ///
    /// - Parameter type: the loader node's type ("sdxl", "flux"); see ``TextEncoderSets``.
    public static func textEncoder(
        paths: [String], type: String, tokenizerFolders: [String],
        embeddings: @escaping @Sendable (String) -> String?, warn: (String) -> Void
    ) throws -> any TextEncoder {
        var parts = TextEncoderParts(
            locator: locator(tokenizerFolders), embeddings: EmbeddingFiles(find: embeddings))
        for path in paths { try parts.add(encoderFile: CheckpointFile(path: path)) }
        return try TextEncoderSets.encoder(type: type, files: paths, parts)
    }

    /// The tensors of a LoRA file.
    public static func lora(path: String) throws -> NamedTensors {
        let file = try CheckpointFile(path: path)
        var tensors: [String: Tensor] = [:]
        for key in file.keys { tensors[key] = try file.tensor(key) }
        return NamedTensors(name: path, tensors: tensors)
    }

    /// The family a source belongs to.
    static func family(of source: WeightSource) throws(CheckpointError) -> any ModelFamily.Type {
        // Some share so many keys with a supported family that they would be taken for it.
        if UnsupportedFamilies.name(of: source) == nil {
            for family in ModelFamilies.all where try family.native(source) != nil { return family }
        }
        let supported = ModelFamilies.all.map { $0.name }.joined(separator: ", ")
        throw CheckpointError(
            .unknownFamily,
            "\(source.name) is not a model that is supported: \(KnownLayouts.describe(source)); supported are: \(supported)"
        )
    }

    private static func network(_ source: WeightSource, warn: (String) -> Void) throws -> any DiffusionNetwork {
        let family = try family(of: source)
        guard var native = try family.native(source) else { return try family.network(source) }
        native.fullNamePrefix = "diffusion_model."
        let network = try family.network(native)
        report(native.unusedKeys, source.name, warn)
        return network
    }

    private static func report(_ unused: [String], _ path: String, _ warn: (String) -> Void) {
        if unused.isEmpty { return }
        let sample = unused.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        warn("\(path): \(unused.count) tensors are not used (\(sample)\(unused.count > 3 ? ", …" : ""))")
    }

    /// The prefix of the network in an all-in-one file (families-sd3-aura.md §1.1).
    private static func networkPrefix(_ file: CheckpointFile) -> String {
        let candidates = ["model.diffusion_model.", "model.model.", "net."]
        let counts = candidates.map { prefix in file.keys.count { $0.hasPrefix(prefix) } }
        guard let most = counts.max(), most > 5, let index = counts.firstIndex(of: most) else { return "model." }
        return candidates[index]
    }

    /// The tokenizer folders are `…/models/tokenizers`; the locator wants `…/models`.
    private static func locator(_ tokenizerFolders: [String]) -> TokenizerLocator {
        TokenizerLocator(
            modelFolders: tokenizerFolders.map { folder in
                folder.hasSuffix("/tokenizers") ? String(folder.dropLast("/tokenizers".count)) : folder
            })
    }
}
