import Images
import NodeKit
import PackTools
import Tensors

/// All pictures in one batch; later ones get the size of the first.
struct ImpactMakeImageBatch: Node {
    static let info = NodeInfo(
        "ImpactMakeImageBatch", displayName: "Make Image Batch", category: "ImpactPack/Operation")

    @Input var image1: Image
    @UndeclaredInputs var more
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        _ = try image1.size()
        var batch = try image1.tensor.asFloat32()
        for (_, image) in try numbered(more, "image", as: Image.self) where image.tensor.count > 0 {
            batch = try joinImageBatches(batch, image.tensor)
        }
        result = Image(batch)
    }
}
