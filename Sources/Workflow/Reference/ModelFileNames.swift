public import JSON

/// Tells by names alone which inputs of nodes that this program lacks hold model files, and where such files belong.
public enum ModelFileNames {
    /// Whether a text is the name of a model file: it ends like one.
    public static func isModelFile(_ text: String) -> Bool {
        guard text.utf8.count <= 1024, let dot = text.lastIndex(of: "."), dot != text.startIndex else { return false }
        return extensions.contains(text[text.index(after: dot)...].lowercased())
    }

    /// The folder type of the files that an input names, such as "loras".
    ///
    /// - Parameters:
    ///   - input: `nil` for a value whose input is not known.
    ///   - value: what the input holds; only its ending counts.
    /// - Returns: `nil` when the input names no model file, or when nothing tells where the file belongs.
    public static func folder(classType: String, input: String?, value: JSON) -> String? {
        guard case .string(let text) = value else { return nil }
        if let input, let exact = reference["\(classType).\(input)"] { return exact }
        guard isModelFile(text) else { return nil }
        if let input, let folder = folder(byWordsIn: input) { return folder }
        return folder(byWordsIn: classType)
    }

    /// Loader inputs of the reference and of common packs whose names alone would mislead.
    private static let reference: [String: String] = [
        "AudioEncoderLoader.audio_encoder_name": "audio_encoders",
        "CheckpointLoader.ckpt_name": "checkpoints",
        "CheckpointLoader.config_name": "configs",
        "CheckpointLoaderSimple.ckpt_name": "checkpoints",
        "CLIPVisionLoader.clip_name": "clip_vision",
        "ControlNetLoader.control_net_name": "controlnet",
        "DiffControlNetLoader.control_net_name": "controlnet",
        "DiffusersLoader.model_path": "diffusers",
        "GLIGENLoader.gligen_name": "gligen",
        "HypernetworkLoader.hypernetwork_name": "hypernetworks",
        "ImageOnlyCheckpointLoader.ckpt_name": "checkpoints",
        "unCLIPCheckpointLoader.ckpt_name": "checkpoints",
        "LoraLoader.lora_name": "loras",
        "LoraLoaderModelOnly.lora_name": "loras",
        "ModelPatchLoader.name": "model_patches",
        "PhotoMakerLoader.photomaker_model_name": "photomaker",
        "QuadrupleCLIPLoader.clip_name1": "text_encoders",
        "QuadrupleCLIPLoader.clip_name2": "text_encoders",
        "QuadrupleCLIPLoader.clip_name3": "text_encoders",
        "QuadrupleCLIPLoader.clip_name4": "text_encoders",
        "StyleModelLoader.style_model_name": "style_models",
        "TripleCLIPLoader.clip_name1": "text_encoders",
        "TripleCLIPLoader.clip_name2": "text_encoders",
        "TripleCLIPLoader.clip_name3": "text_encoders",
        "UpscaleModelLoader.model_name": "upscale_models",
        "LoadFluxControlNet.controlnet_path": "xlabs/controlnets",
        "LoadFluxIPAdapter.ipadatper": "xlabs/ipadapters",
        "LoadFluxIPAdapter.clip_vision": "clip_vision",
        "FluxLoraLoader.lora_name": "xlabs/loras",
    ]

    /// Parts of input and class names; the first that fits counts.
    private static let words: [(part: String, folder: String)] = [
        ("clip_vision", "clip_vision"), ("clipvision", "clip_vision"), ("clip vision", "clip_vision"),
        ("lora", "loras"), ("control_net", "controlnet"), ("controlnet", "controlnet"), ("vae", "vae"),
        ("ipadapter", "ipadapter"), ("upscale", "upscale_models"), ("style_model", "style_models"),
        ("unet", "diffusion_models"), ("diffusion_model", "diffusion_models"),
        ("text_encoder", "text_encoders"), ("clip", "text_encoders"), ("t5", "text_encoders"),
        ("ckpt", "checkpoints"), ("checkpoint", "checkpoints"), ("embedding", "embeddings"),
        ("gligen", "gligen"), ("sam_model", "sams"), ("inpaint", "inpaint"),
    ]

    private static func folder(byWordsIn name: String) -> String? {
        let name = name.lowercased()
        return words.first { name.contains($0.part) }?.folder
    }

    private static let extensions: Set<String> = [
        "safetensors", "sft", "ckpt", "pt", "pt2", "pth", "bin", "pkl", "gguf", "onnx",
    ]
}

/// What a workflow file says of its model files beside the inputs that name them.
public struct ModelFileHints: Sendable, Hashable {
    /// Where the file says a model belongs and where it comes from (`properties.models` of templates).
    public struct Source: Sendable, Hashable {
        public var directory: String?
        public var url: String?
    }

    /// A model file among values of an unknown node that the file does not name, so that they are not in the prompt.
    public struct Mention: Sendable, Hashable {
        public var node: String
        public var classType: String
        public var name: String
    }

    /// By file name, without folders.
    public var sources: [String: Source] = [:]
    public var unnamed: [Mention] = []

    public init() {}

    public func source(of name: String) -> Source? {
        sources[Self.withoutFolders(name)]
    }

    static func withoutFolders(_ name: String) -> String {
        String(name[(name.lastIndex { $0 == "/" || $0 == "\\" }.map { name.index(after: $0) } ?? name.startIndex)...])
    }
}

extension Converter {
    /// Reads what a template says of the models of a node.
    func noteSources(of node: GraphNode) {
        guard case .array(let models)? = node.properties["models"] else { return }
        for model in models.prefix(100) {
            guard let name = model["name"]?.stringValue else { continue }
            let source = ModelFileHints.Source(
                directory: model["directory"]?.stringValue, url: model["url"]?.stringValue)
            modelFiles.sources[ModelFileHints.withoutFolders(name)] = source
        }
    }
}
