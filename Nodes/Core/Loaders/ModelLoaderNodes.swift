import Diffusion
import Models
import NodeKit
import Tensors

/// A diffusion network from a file of its own.
struct UNETLoader: Node {
    static let info = NodeInfo(
        "UNETLoader", displayName: "Load Diffusion Model", category: "advanced/loaders", work: .loading)

    @Input(.files("diffusion_models")) var unetName: String
    @Input(.choices(["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"])) var weightDtype: String
    @Output var model: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("diffusion_models", unetName)
        model = DiffusionModel(
            network: try ModelLoader.network(path: path, weightType: try weightType(), warn: context.warn))
    }

    /// The type every weight is rounded to; `nil` keeps the file's.
    private func weightType() throws -> DType? {
        switch weightDtype {
        case "default": return nil
        // "fast" concerns only how a GPU multiplies.
        case "fp8_e4m3fn", "fp8_e4m3fn_fast": return .float8e4m3
        case "fp8_e5m2": return .float8e5m2
        default:
            throw NodeError(
                "input \"weight_dtype\": \"\(weightDtype)\" is unknown; use default, fp8_e4m3fn, fp8_e4m3fn_fast or "
                    + "fp8_e5m2")
        }
    }
}

/// Network, text encoders and VAE from an all-in-one file.
struct CheckpointLoaderSimple: Node {
    static let info = NodeInfo(
        "CheckpointLoaderSimple", displayName: "Load Checkpoint", category: "loaders",
        description: "Loads a model with its text encoders and VAE from one file.", work: .loading)

    @Input(.files("checkpoints"), .tooltip("A file in models/checkpoints.")) var ckptName: String
    @Output var model: DiffusionModel
    @Output var clip: TextEncoderValue
    @Output var vae: AutoencoderValue

    func run(_ context: NodeContext) async throws { (model, clip, vae) = try context.checkpoint(ckptName) }
}

/// The same with a configuration file, which nothing needs any more: files tell what they are.
struct CheckpointLoader: Node {
    static let info = NodeInfo(
        "CheckpointLoader", displayName: "Load Checkpoint With Config (DEPRECATED)", category: "advanced/loaders",
        work: .loading
    ).deprecated

    @Input(.files("configs")) var configName: String
    @Input(.files("checkpoints")) var ckptName: String
    @Output var model: DiffusionModel
    @Output var clip: TextEncoderValue
    @Output var vae: AutoencoderValue

    func run(_ context: NodeContext) async throws {
        context.warn("the configuration \(configName) is not read: the checkpoint tells what it is")
        (model, clip, vae) = try context.checkpoint(ckptName)
    }
}

extension NodeContext {
    /// The parts of an all-in-one file; what is missing is stood for by parts that say so when they are used.
    fileprivate func checkpoint(_ name: String) throws -> (DiffusionModel, TextEncoderValue, AutoencoderValue) {
        let files = files
        let parts = try ModelLoader.checkpoint(
            path: try files.model("checkpoints", name), tokenizerFolders: files.modelFolders("tokenizers"),
            embeddings: { files.embedding(named: $0) }, warn: { warn($0) })
        return (
            DiffusionModel(network: parts.network),
            TextEncoderValue(parts.encoder ?? MissingTextEncoder(file: name, loaders: parts.encoderLoaders)),
            AutoencoderValue(parts.autoencoder ?? MissingAutoencoder(file: name))
        )
    }
}

/// A VAE from a file of its own.
struct VAELoader: Node {
    static let info = NodeInfo("VAELoader", displayName: "Load VAE", category: "loaders", work: .loading)

    @Input(.files("vae", extra: ["pixel_space"])) var vaeName: String
    @Output var vae: AutoencoderValue

    func run(_ context: NodeContext) async throws {
        guard vaeName != "pixel_space" else {
            throw NodeError(
                "input \"vae_name\": pixel_space is for models that paint pixels directly, and none of them is "
                    + "supported; choose the file of the model's VAE")
        }
        if let set = FileSet.named(vaeName, in: "vae"), !context.files.modelNames("vae").contains(vaeName),
            let space = LatentSpace.ofTinyAutoencoder(vaeName)
        {
            let paths = try set.paths(context.files)
            vae = AutoencoderValue(
                try ModelLoader.tinyAutoencoder(space, encoder: paths[0], decoder: paths[1], warn: context.warn))
            return
        }
        let path = try context.files.model("vae", vaeName)
        vae = AutoencoderValue(try ModelLoader.autoencoder(path: path, warn: context.warn))
    }
}

/// A ControlNet.
struct ControlNetLoader: Node {
    static let info = NodeInfo(
        "ControlNetLoader", displayName: "Load ControlNet Model", category: "loaders", work: .loading)

    @Input(.files("controlnet")) var controlNetName: String
    @Output var controlNet: ControlNet

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("controlnet", controlNetName)
        controlNet = ControlNet(network: try ModelLoader.controlNetwork(path: path, warn: context.warn))
    }
}

/// A ControlNet that may be stored as the difference from its model.
struct DiffControlNetLoader: Node {
    static let info = NodeInfo(
        "DiffControlNetLoader", displayName: "Load ControlNet Model (diff)", category: "loaders", work: .loading)

    @Input var model: DiffusionModel
    @Input(.files("controlnet")) var controlNetName: String
    @Output var controlNet: ControlNet

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("controlnet", controlNetName)
        controlNet = ControlNet(
            network: try ModelLoader.controlNetwork(path: path, base: model.network, warn: context.warn))
    }
}
