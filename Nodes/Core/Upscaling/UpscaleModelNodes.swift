import Checkpoints
public import Models
public import NodeKit

/// UPSCALE_MODEL.
extension UpscaleModel: ModelValue {
    public static var socketType: String { "UPSCALE_MODEL" }
    public var byteCount: Int { 64 + ownByteCount }
}

/// A model that enlarges pictures.
struct UpscaleModelLoader: Node {
    static let info = NodeInfo(
        "UpscaleModelLoader", displayName: "Load Upscale Model", category: "loaders", style: .v3, work: .loading)

    @Input(.files("upscale_models")) var modelName: String
    @Output var upscaleModel: UpscaleModel

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("upscale_models", modelName)
        upscaleModel = try ModelLoader.upscaleModel(path: path, warn: context.warn)
    }
}

/// Pictures enlarged by a model.
struct ImageUpscaleWithModel: Node {
    static let info = NodeInfo(
        "ImageUpscaleWithModel", displayName: "Upscale Image (using Model)", category: "image/upscaling",
        style: .v3, work: .sampling)

    @Input var upscaleModel: UpscaleModel
    @Input var image: Image
    @Output var enlarged: Image

    func run(_ context: NodeContext) async throws {
        try context.checkCancellation()
        enlarged = Image(
            try upscaleModel.enlarge(
                image.tensor, on: context.backend, memory: context.availableMemory?()
            ) { done, total in
                context.progress(done, of: total)
                try context.checkCancellation()
            })
    }
}
