import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Shows a picture, a mask, or the mask's colour over the picture (pack-nodes.md §2).
struct ImageAndMaskPreview: Node {
    static let info = NodeInfo(
        "ImageAndMaskPreview", displayName: "Image & Mask Preview", category: "KJNodes/masking", isOutput: true,
        hidden: [.prompt, .extraPNGInfo])

    @Input(.range(0.0...1.0), .step(0.01)) var maskOpacity = 1.0
    @Input(.tooltip("Red, green and blue from 0 to 255.")) var maskColor = "255, 255, 255"
    @Input(.tooltip("Without a preview.")) var passThrough = false
    @Input var image: Image?
    @Input var mask: Mask?
    @Output("composite") var composite: Image

    func run(_ context: NodeContext) async throws {
        switch (image, mask) {
        case (nil, nil): throw NodeError("neither \"image\" nor \"mask\" is connected; there is nothing to show")
        case (let image?, nil): composite = image
        case (nil, let mask?): composite = Image(try maskToImage(mask.tensor))
        case (let image?, let mask?): composite = try over(image, mask)
        }
        guard !passThrough else { return }
        let prefix = PictureWriter.previewPrefix("preview", context)
        context.show(["images": .array(try PictureWriter(.temporary, context).write(composite, prefix: prefix))])
    }

    private func over(_ image: Image, _ mask: Mask) throws -> Image {
        let colour = try rgb()
        let size = try image.size()
        let plain = try emptyImage(width: size.width, height: size.height, count: image.batch, colour: colour)
        let opacity = Float(maskOpacity)
        let weights = try HostMath.map(mask.tensor) { $0 * opacity }
        return Image(
            try compositeImages(image.tensor, plain, x: 0, y: 0, mask: weights, resizeSource: false))
    }

    private func rgb() throws -> Int {
        let parts = PythonText.split(maskColor, at: ",").map { Int(PythonText.stripped($0)) }
        guard parts.count == 3, parts.allSatisfy({ $0.map { (0...255).contains($0) } ?? false }) else {
            throw NodeError(
                "input \"mask_color\": \"\(maskColor.prefix(50))\" is no colour; write three numbers from 0 to 255")
        }
        return parts.reduce(0) { $0 << 8 | ($1 ?? 0) }
    }
}
