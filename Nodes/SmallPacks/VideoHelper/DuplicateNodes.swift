import CoreNodes
import Diffusion
import JSON
public import NodeKit
import Tensors

/// Nodes of ComfyUI-VideoHelperSuite that are not about films.
public let videoHelperPack = NodePack(
    "ComfyUI-VideoHelperSuite",
    nodes: [DuplicateMasks.self, DuplicateLatents.self, DuplicateImages.self])

/// The batch `count` times over.
private func repeated(_ tensor: Tensor, _ count: Int) throws -> Tensor {
    try requireInRange(count, "multiply_by", 1...4096)
    guard tensor.shape.rank > 0, tensor.shape[0] > 0 else { throw NodeError("there is nothing to duplicate") }
    return try HostMath.concatenate(Array(repeating: tensor, count: count), axis: 0)
}

/// A batch of masks several times over.
struct DuplicateMasks: Node {
    static let info = NodeInfo(
        "VHS_DuplicateMasks", displayName: "Repeat Masks 🎥🅥🅗🅢", category: "Video Helper Suite 🎥🅥🅗🅢/mask")

    @Input var mask: Mask
    @Input(.range(1...4096)) var multiplyBy = 1
    @Output("MASK") var result: Mask
    @Output("count") var count: Int

    func run(_ context: NodeContext) async throws {
        result = Mask(try repeated(mask.tensor, multiplyBy))
        count = result.tensor.shape[0]
    }
}

/// A batch of pictures several times over.
struct DuplicateImages: Node {
    static let info = NodeInfo(
        "VHS_DuplicateImages", displayName: "Repeat Images 🎥🅥🅗🅢", category: "Video Helper Suite 🎥🅥🅗🅢/image")

    @Input var images: Image
    @Input(.range(1...4096)) var multiplyBy = 1
    @Output("IMAGE") var result: Image
    @Output("count") var count: Int

    func run(_ context: NodeContext) async throws {
        result = Image(try repeated(images.tensor, multiplyBy))
        count = result.batch
    }
}

/// A batch of latents several times over.
struct DuplicateLatents: Node {
    static let info = NodeInfo(
        "VHS_DuplicateLatents", displayName: "Repeat Latents 🎥🅥🅗🅢", category: "Video Helper Suite 🎥🅥🅗🅢/latent")

    @Input var latents: Latent
    @Input(.range(1...4096)) var multiplyBy = 1
    @Output("LATENT") var result: Latent
    @Output("count") var count: Int

    func run(_ context: NodeContext) async throws {
        var copy = latents
        copy.samples = try repeated(latents.samples, multiplyBy)
        // A mask per item has to be repeated with its items; one for all stays.
        if let mask = latents.noiseMask, mask.shape.rank > 0, mask.shape[0] == latents.samples.shape[0],
            mask.shape[0] > 1
        {
            copy.noiseMask = try repeated(mask, multiplyBy)
        }
        copy.batchIndices = nil
        (result, count) = (copy, copy.samples.shape[0])
    }
}
