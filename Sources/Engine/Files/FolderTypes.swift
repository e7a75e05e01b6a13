/// The folder types of an installation (ComfyUI's layout): their names, old and new, and what files count.
enum FolderTypes {
    /// Old names of folder types.
    private static let renamed = ["unet": "diffusion_models", "clip": "text_encoders"]

    /// Subfolders of the models folder that belong to a type, in order of search, where they are not the type's name.
    private static let subfolders = [
        "diffusion_models": ["unet", "diffusion_models"],
        "text_encoders": ["text_encoders", "clip"],
        "controlnet": ["controlnet", "t2i_adapter"],
    ]

    private static let modelExtensions: Set<String> = [
        "safetensors", "sft", "ckpt", "pt", "pt2", "pth", "bin", "pkl", "gguf",
    ]
    private static let otherExtensions: [String: Set<String>] = [
        "configs": ["yaml", "json"],
        "tokenizers": ["json", "txt", "model"],
    ]
    /// What the input folder's pictures end in.
    static let pictureExtensions: Set<String> = [
        "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "apng", "avif",
    ]

    /// The present name of a type.
    static func canonical(_ type: String) -> String { renamed[type] ?? type }

    static func subfolders(of type: String) -> [String] { subfolders[canonical(type)] ?? [canonical(type)] }

    /// Whether a file name has an extension that belongs to the type.
    static func accepts(_ name: String, type: String) -> Bool {
        (otherExtensions[type] ?? modelExtensions).contains(fileExtension(name))
    }

    /// The lower-case extension without its dot; empty without one.
    static func fileExtension(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }
}
