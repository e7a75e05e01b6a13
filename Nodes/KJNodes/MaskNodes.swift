import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// A mask in another size (pack-nodes.md §2).
struct ResizeMask: Node {
    static let info = NodeInfo("ResizeMask", displayName: "Resize Mask", category: "KJNodes/masking")

    @Input var mask: Mask
    @Input(.range(0...16384)) var width = 512
    @Input(.range(0...16384)) var height = 512
    @Input var keepProportions = false
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])) var upscaleMethod: String
    @Input(.choices(["disabled", "center"])) var crop: String
    @Output("mask") var result: Mask
    @Output("width") var resultWidth: Int
    @Output("height") var resultHeight: Int

    func run(_ context: NodeContext) async throws {
        var size = PictureSize(width: width, height: height)
        if keepProportions {
            let source = try mask.size()
            let ratio = min(Double(width) / Double(source.width), Double(height) / Double(source.height))
            size.width = (Double(source.width) * ratio).roundedInt
            size.height = (Double(source.height) * ratio).roundedInt
        }
        try requireInRange(size.width, "width", 1...65536)
        try requireInRange(size.height, "height", 1...65536)
        result = Mask(
            try resizeMask(
                mask.tensor, width: size.width, height: size.height,
                method: try choice(upscaleMethod, "upscale_method"), crop: try choice(crop, "crop")))
        (resultWidth, resultHeight) = (size.width, size.height)
    }
}

/// A mask stretched between two values (pack-nodes.md §2).
struct RemapMaskRange: Node {
    static let info = NodeInfo("RemapMaskRange", displayName: "Remap Mask Range", category: "KJNodes/masking")

    @Input var mask: Mask
    @Input(.range(-10.0...1.0), .step(0.01)) var min = 0.0
    @Input(.range(0.0...10.0), .step(0.01)) var max = 1.0
    @Output("mask") var result: Mask

    func run(_ context: NodeContext) async throws {
        let values = try mask.tensor.floats()
        let largest = values.reduce(-Float.infinity) { Swift.max($0, $1) }
        let divisor = largest == 0 || !largest.isFinite ? 1 : largest
        let (low, span) = (Float(min), Float(max) - Float(min))
        result = Mask(try HostMath.map(mask.tensor) { Swift.min(Swift.max($0 / divisor * span + low, 0), 1) })
    }
}
