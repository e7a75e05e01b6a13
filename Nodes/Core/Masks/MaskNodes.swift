import Images
import NodeKit

/// 1 − mask.
struct InvertMask: Node {
    static let info = NodeInfo("InvertMask", category: "mask")

    @Input var mask: Mask
    @Output var inverted: Mask

    func run(_ context: NodeContext) async throws { inverted = Mask(try invertMask(mask.tensor)) }
}

/// Grows or shrinks a mask pixel by pixel (families-unet-sampling.md §19).
struct GrowMask: Node {
    static let info = NodeInfo("GrowMask", category: "mask")

    @Input var mask: Mask
    @Input(.range(-16384...16384), .step(1)) var expand = 0
    @Input var taperedCorners = true
    @Output var grown: Mask

    func run(_ context: NodeContext) async throws {
        try requireInRange(expand, "expand", -1_048_576...1_048_576)
        grown = Mask(try growMask(mask.tensor, by: expand, tapered: taperedCorners))
    }
}

/// One mask put on another.
struct MaskComposite: Node {
    static let info = NodeInfo("MaskComposite", category: "mask")

    @Input var destination: Mask
    @Input var source: Mask
    @Input(.range(0...16384), .step(1)) var x = 0
    @Input(.range(0...16384), .step(1)) var y = 0
    @Input(.choices(["multiply", "add", "subtract", "and", "or", "xor"])) var operation: String
    @Output var composite: Mask

    func run(_ context: NodeContext) async throws {
        composite = Mask(
            try compositeMasks(
                destination.tensor, source.tensor, x: x, y: y, try choice(operation, "operation")))
    }
}

/// 1 where the mask is above a value, else 0.
struct ThresholdMask: Node {
    static let info = NodeInfo("ThresholdMask", category: "mask")

    @Input var mask: Mask
    @Input(.range(0.0...1.0), .step(0.01)) var value = 0.5
    @Output var binary: Mask

    func run(_ context: NodeContext) async throws {
        binary = Mask(try thresholdMask(mask.tensor, above: Float(value)))
    }
}
