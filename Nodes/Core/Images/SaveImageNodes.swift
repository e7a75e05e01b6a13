import JSON
import NodeKit

/// Writes pictures into the output folder, with the workflow in them (families-unet-sampling.md §19).
struct SaveImage: Node {
    static let info = NodeInfo(
        "SaveImage", displayName: "Save Image", category: "image", description: "Saves pictures in the output folder.",
        isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input(.tooltip("The pictures to save.")) var images: Image
    @Input(.tooltip("Beginning of the file names; may hold folders and tokens such as %width% or %year%."))
    var filenamePrefix = "ComfyUI"

    func run(_ context: NodeContext) async throws {
        let files = try PictureWriter(.output, context).write(images, prefix: filenamePrefix)
        context.show(["images": .array(files)])
    }
}

/// Shows pictures: writes them into the temporary folder.
struct PreviewImage: Node {
    static let info = NodeInfo(
        "PreviewImage", displayName: "Preview Image", category: "image", description: "Shows pictures.",
        isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var images: Image

    func run(_ context: NodeContext) async throws {
        let prefix = PictureWriter.previewPrefix("preview", context)
        let files = try PictureWriter(.temporary, context).write(images, prefix: prefix)
        context.show(["images": .array(files)])
    }
}
