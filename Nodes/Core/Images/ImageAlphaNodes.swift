import Images
import NodeKit

/// A picture that is transparent where the mask is 1.
struct JoinImageWithAlpha: Node {
    static let info = NodeInfo(
        "JoinImageWithAlpha", displayName: "Join Image with Alpha", category: "mask/compositing", style: .v3)

    @Input var image: Image
    @Input var alpha: Mask
    @Output var joined: Image

    func run(_ context: NodeContext) async throws {
        joined = Image(try joinAlpha(image.tensor, mask: alpha.tensor))
    }
}

/// The colours of a picture, and a mask that is 1 where it is transparent.
struct SplitImageWithAlpha: Node {
    static let info = NodeInfo(
        "SplitImageWithAlpha", displayName: "Split Image with Alpha", category: "mask/compositing", style: .v3)

    @Input var image: Image
    @Output var colours: Image
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        let parts = try splitAlpha(image.tensor)
        colours = Image(parts.image)
        mask = Mask(parts.mask)
    }
}

/// Two pictures with masks composited by an operator of Porter and Duff.
struct PorterDuffImageComposite: Node {
    static let info = NodeInfo(
        "PorterDuffImageComposite", displayName: "Porter-Duff Image Composite", category: "mask/compositing", style: .v3
    )

    @Input var source: Image
    @Input var sourceAlpha: Mask
    @Input var destination: Image
    @Input var destinationAlpha: Mask
    @Input(
        .choices([
            "ADD", "CLEAR", "DARKEN", "DST", "DST_ATOP", "DST_IN", "DST_OUT", "DST_OVER", "LIGHTEN", "MULTIPLY",
            "OVERLAY", "SCREEN", "SRC", "SRC_ATOP", "SRC_IN", "SRC_OUT", "SRC_OVER", "XOR",
        ])) var mode = "DST"
    @Output var composite: Image
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        let result = try compositePorterDuff(
            source: source.tensor, sourceMask: sourceAlpha.tensor, destination: destination.tensor,
            destinationMask: destinationAlpha.tensor, try choice(mode, "mode"))
        composite = Image(result.image)
        mask = Mask(result.mask)
    }
}
