public import Models
public import NodeKit

/// STYLE_MODEL.
extension StyleModel: ModelValue {
    public static var socketType: String { "STYLE_MODEL" }
    public var byteCount: Int { 64 + ownByteCount }
}

/// A style model: text tokens made of a picture.
struct StyleModelLoader: Node {
    static let info = NodeInfo(
        "StyleModelLoader", displayName: "Load Style Model", category: "loaders", work: .loading)

    @Input(.files("style_models")) var styleModelName: String
    @Output var styleModel: StyleModel

    func run(_ context: NodeContext) async throws {
        styleModel = try ModelLoader.styleModel(path: try context.files.model("style_models", styleModelName))
    }
}
