import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Shows masks (pack-nodes.md §9).
struct EssentialsMaskPreview: Node {
    static let info = NodeInfo(
        "MaskPreview+", displayName: "🔧 Mask Preview", category: "essentials/mask", isOutput: true,
        hidden: [.prompt, .extraPNGInfo])

    @Input var mask: Mask

    func run(_ context: NodeContext) async throws {
        let picture = Image(try maskToImage(mask.tensor))
        let prefix = PictureWriter.previewPrefix("mask_preview", context)
        context.show(["images": .array(try PictureWriter(.temporary, context).write(picture, prefix: prefix))])
    }
}

/// A true Gaussian blur of a mask, mirrored at the edges (pack-nodes.md §9).
struct EssentialsMaskBlur: Node {
    static let info = NodeInfo("MaskBlur+", displayName: "🔧 Mask Blur", category: "essentials/mask")

    @Input var mask: Mask
    @Input(.range(0...256), .tooltip("Length of the kernel; made odd.")) var amount = 6
    @Input(.choices(["auto", "cpu", "gpu"])) var device = "auto"
    @Output("MASK") var result: Mask

    func run(_ context: NodeContext) async throws {
        try requireInRange(amount, "amount", 0...4096)
        let kernel = amount % 2 == 0 ? amount + 1 : amount
        let radius = kernel / 2
        let blur = GaussianFilter(radius: radius, sigma: 0.3 * (Double(radius) - 1) + 0.8, edge: .mirror)
        result = Mask(try blur(mask.tensor.asSingleChannelPictures()).asMask())
    }
}

/// A mask mirrored.
struct EssentialsMaskFlip: Node {
    static let info = NodeInfo("MaskFlip+", displayName: "🔧 Mask Flip", category: "essentials/mask")

    @Input var mask: Mask
    @Input(.choices(["x", "y", "xy"])) var axis: String
    @Output("MASK") var result: Mask

    func run(_ context: NodeContext) async throws {
        result = Mask(try flipped(mask.tensor.asSingleChannelPictures(), axis).asMask())
    }
}

/// A picture mirrored.
struct EssentialsImageFlip: Node {
    static let info = NodeInfo("ImageFlip+", displayName: "🔧 Image Flip", category: "essentials/image manipulation")

    @Input var image: Image
    @Input(.choices(["x", "y", "xy"])) var axis: String
    @Output("IMAGE") var result: Image

    func run(_ context: NodeContext) async throws {
        _ = try image.size()
        result = Image(try flipped(image.tensor, axis))
    }
}

/// "x" exchanges left and right, "y" top and bottom.
private func flipped(_ image: Tensor, _ axis: String) throws -> Tensor {
    guard ["x", "y", "xy"].contains(axis) else {
        throw NodeError("input \"axis\": \"\(axis.prefix(50))\" is unknown; use x, y or xy")
    }
    let rows = Array(0..<image.shape[1])
    let columns = Array(0..<image.shape[2])
    return try Remapping.apply(
        image, rows: axis.contains("y") ? rows.reversed() : rows,
        columns: axis.contains("x") ? columns.reversed() : columns)
}
