import JSON
import NodeKit
import PackTools
import Tensors

/// Width and height of a picture; also shown (pack-nodes.md §10).
struct EasyImageSize: Node {
    static let info = NodeInfo("easy imageSize", displayName: "ImageSize", category: "EasyUse/Image", isOutput: true)

    @Input var image: Image
    @Output("width_int") var width: Int
    @Output("height_int") var height: Int

    func run(_ context: NodeContext) async throws {
        let size = try image.size()
        (width, height) = (size.width, size.height)
        context.show(["text": .array([.string("Width: \(width) , Height: \(height)")])])
    }
}

/// Every picture of a batch by itself.
struct EasyImageBatchToImageList: Node {
    static let info = NodeInfo(
        "easy imageBatchToImageList", displayName: "Image Batch To Image List", category: "EasyUse/Image")

    @Input var image: Image
    @Output("IMAGE") var result: [Image]

    func run(_ context: NodeContext) async throws {
        _ = try image.size()
        result = try (0..<image.batch).map { Image(try image.tensor.slice(axis: 0, $0..<$0 + 1).asFloat32()) }
    }
}

/// Passes a value on. There is nothing to clean: memory is freed when values are used for the last time.
struct EasyCleanGPUUsed: Node {
    static let info = NodeInfo(
        "easy cleanGpuUsed", displayName: "Clean VRAM Used", category: "EasyUse/Logic", isOutput: true)

    @Input var anything: AnyNodeValue
    @Output("output", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws { result = anything }
}
