import Images
import NodeKit

/// A mask as a grey picture.
struct MaskToImage: Node {
    static let info = NodeInfo("MaskToImage", displayName: "Convert Mask to Image", category: "mask")

    @Input var mask: Mask
    @Output var image: Image

    func run(_ context: NodeContext) async throws { image = Image(try maskToImage(mask.tensor)) }
}

/// One channel of a picture as a mask.
struct ImageToMask: Node {
    static let info = NodeInfo("ImageToMask", displayName: "Convert Image to Mask", category: "mask")

    @Input var image: Image
    @Input(.choices(["red", "green", "blue", "alpha"])) var channel: String
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        mask = Mask(try imageToMask(image.tensor, try choice(channel, "channel")))
    }
}
