public import Models
public import NodeKit

/// CLIP_VISION.
extension CLIPVisionModel: ModelValue {
    public static var socketType: String { "CLIP_VISION" }
    public var byteCount: Int { 64 + ownByteCount }
}

/// An image encoder.
struct CLIPVisionLoader: Node {
    static let info = NodeInfo("CLIPVisionLoader", displayName: "Load CLIP Vision", category: "loaders", work: .loading)

    @Input(.files("clip_vision")) var clipName: String
    @Output var clipVision: CLIPVisionModel

    func run(_ context: NodeContext) async throws {
        let path = try context.files.model("clip_vision", clipName)
        clipVision = try ModelLoader.imageEncoder(path: path, warn: context.warn)
    }
}

/// What an image encoder sees in pictures.
struct CLIPVisionEncode: Node {
    static let info = NodeInfo("CLIPVisionEncode", displayName: "CLIP Vision Encode", category: "conditioning")

    @Input var clipVision: CLIPVisionModel
    @Input var image: Image
    @Input(.choices(["center", "none"])) var crop: String
    @Output var output: CLIPVisionOutput

    func run(_ context: NodeContext) async throws {
        output = try clipVision.encode(image.tensor, crops: crop == "center", on: context.backend)
    }
}
