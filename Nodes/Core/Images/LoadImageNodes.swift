import Images
import NodeKit

/// A picture of the input folder with its mask: 1 where it is transparent (families-unet-sampling.md §19).
struct LoadImage: Node {
    static let info = NodeInfo("LoadImage", displayName: "Load Image", category: "image", work: .loading)

    @Input(.inputImages, .imageUpload) var image: String
    @Output var picture: Image
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        let loaded = try ImageFile(path: try context.files.input(image)).picture()
        picture = Image(loaded.image)
        mask = Mask(loaded.mask)
    }
}

/// One channel of a picture of the input folder as a mask; alpha is inverted.
struct LoadImageMask: Node {
    static let info = NodeInfo("LoadImageMask", displayName: "Load Image (as Mask)", category: "mask", work: .loading)

    @Input(.inputImages, .imageUpload) var image: String
    @Input(.choices(["alpha", "red", "green", "blue"])) var channel: String
    @Output var mask: Mask

    func run(_ context: NodeContext) async throws {
        let file = try ImageFile(path: try context.files.input(image))
        mask = Mask(try file.mask(try choice(channel, "channel")))
    }
}
