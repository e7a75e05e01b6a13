import Engine

/// The types of model folders (server-api.md §8): those that ComfyUI knows, and those that `extra_model_paths.yaml` files
/// add.
struct ModelTypes: Sendable {
    private static let standard = [
        "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "style_models",
        "embeddings", "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models", "latent_upscale_models",
        "custom_nodes", "hypernetworks", "photomaker", "classifiers", "model_patches", "audio_encoders",
    ]
    private static let renamed = ["unet": "diffusion_models", "clip": "text_encoders"]

    let all: [String]
    /// Without what holds no models.
    let models: [String]

    init(_ files: ModelFolders) {
        all = Self.standard + files.extraTypes.filter { !Self.standard.contains($0) }
        models = all.filter { $0 != "configs" && $0 != "custom_nodes" }
    }

    /// The present name of a type; `nil` for what is none.
    func known(_ name: String) -> String? {
        let present = Self.renamed[name] ?? name
        return all.contains(present) ? present : nil
    }
}
