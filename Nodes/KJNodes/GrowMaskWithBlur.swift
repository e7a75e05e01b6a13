import Images
import NodeKit

/// Grows, fills, mixes and blurs the frames of a mask (pack-nodes.md §1).
struct GrowMaskWithBlur: Node {
    static let info = NodeInfo("GrowMaskWithBlur", displayName: "Grow Mask With Blur", category: "KJNodes/masking")

    @Input var mask: Mask
    @Input(.range(-16384...16384), .step(1)) var expand = 0
    @Input(.range(0.0...100.0), .step(0.1), .tooltip("Pixels more from frame to frame."))
    var incrementalExpandrate = 0.0
    @Input(.tooltip("Grow in the form of a plus sign instead of a square.")) var taperedCorners = true
    @Input(.tooltip("Start from the inverted mask.")) var flipInput = false
    @Input(.range(0.0...100.0), .step(0.1)) var blurRadius = 0.0
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of a frame in its mixture with the one before."))
    var lerpAlpha = 1.0
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of the frame before that is added to a frame."))
    var decayFactor = 1.0
    @Input(.optional, .tooltip("Fill holes; slow.")) var fillHoles = false
    @Output("mask") var grown: Mask
    @Output("mask_inverted") var inverted: Mask

    func run(_ context: NodeContext) async throws {
        var growth = MaskGrowth()
        growth.expand = expand
        growth.incrementalExpandRate = incrementalExpandrate
        growth.taperedCorners = taperedCorners
        growth.flipInput = flipInput
        growth.blurRadius = blurRadius
        growth.lerpAlpha = lerpAlpha
        growth.decayFactor = decayFactor
        growth.fillHoles = fillHoles
        let result = try growMaskWithBlur(mask.tensor, growth)
        grown = Mask(result)
        inverted = Mask(try invertMask(result))
    }
}
