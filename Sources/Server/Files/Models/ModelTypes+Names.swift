extension ModelTypes {
    /// Without what holds no models.
    static let models = all.filter { $0 != "configs" && $0 != "custom_nodes" }

    private static let renamed = ["unet": "diffusion_models", "clip": "text_encoders"]

    /// The present name of a type; `nil` for what is none.
    static func known(_ name: String) -> String? {
        let present = renamed[name] ?? name
        return all.contains(present) ? present : nil
    }
}
