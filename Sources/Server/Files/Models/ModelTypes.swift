import Engine

/// The types of model folders (server-api.md §8).
enum ModelTypes {
    /// In the order in which the reference lists them.
    static let all = [
        "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "style_models",
        "embeddings", "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models", "latent_upscale_models",
        "custom_nodes", "hypernetworks", "photomaker", "classifiers", "model_patches", "audio_encoders",
    ]
    /// Without what holds no models.
    static let models = all.filter { $0 != "configs" && $0 != "custom_nodes" }

    private static let renamed = ["unet": "diffusion_models", "clip": "text_encoders"]

    /// The present name of a type; `nil` for what is none.
    static func known(_ name: String) -> String? {
        let present = renamed[name] ?? name
        return all.contains(present) ? present : nil
    }
}
