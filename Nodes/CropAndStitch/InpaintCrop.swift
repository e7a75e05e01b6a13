import CoreNodes
import Images
import NodeKit
import PackTools
import Tensors

/// Cuts out what is to be painted, with its surroundings: the pack's first node of this kind, which old workflows have.
///
/// The pack has removed it. This is made after the pack's published description of its inputs, so that sizes and blurred
/// edges may differ from the pack's by a pixel.
struct InpaintCrop: Node {
    static let info = NodeInfo(
        "InpaintCrop", displayName: "(OLD 💀, use the new ✂️ Inpaint Crop node)", category: "inpaint")
    static let methods = ["nearest", "bilinear", "bicubic", "bislerp", "lanczos"]

    /// How large the result is.
    enum Mode: String, CaseIterable {
        /// Scaled as little as needed to lie between the smallest and the largest size.
        case ranged = "ranged size"
        case forced = "forced size"
        /// Scaled by the factor.
        case free = "free size"
    }

    @Input var image: Image
    @Input var mask: Mask
    @Input(.range(0...16384)) var contextExpandPixels = 20
    @Input(.range(1.0...100.0), .step(0.01)) var contextExpandFactor = 1.0
    @Input var fillMaskHoles = true
    @Input(.range(0.0...64.0), .step(0.1)) var blurMaskPixels = 16.0
    @Input var invertMask = false
    @Input(.range(0.0...32.0), .step(0.1)) var blendPixels = 16.0
    @Input(.choices(methods)) var rescaleAlgorithm = "bicubic"
    @Input(.choices(Mode.allCases.map(\.rawValue))) var mode = "ranged size"
    @Input(.range(0...16384)) var forceWidth = 1024
    @Input(.range(0...16384)) var forceHeight = 1024
    @Input(.range(0.01...100.0), .step(0.01)) var rescaleFactor = 1.0
    @Input(.range(0...16384)) var minWidth = 512
    @Input(.range(0...16384)) var minHeight = 512
    @Input(.range(0...16384)) var maxWidth = 768
    @Input(.range(0...16384)) var maxHeight = 768
    @Input(.range(8...512)) var padding = 32
    @Input var optionalContextMask: Mask?
    @Output("stitch") var stitch: Stitch
    @Output("cropped_image") var croppedImage: Image
    @Output("cropped_mask") var croppedMask: Mask

    func run(_ context: NodeContext) async throws {
        // A link may bring any number.
        try requireInRange(contextExpandPixels, "context_expand_pixels", 0...65536)
        try requireInRange(padding, "padding", 1...4096)
        let sides = [
            (forceWidth, "force_width"), (forceHeight, "force_height"), (minWidth, "min_width"),
            (minHeight, "min_height"), (maxWidth, "max_width"), (maxHeight, "max_height"),
        ]
        for (side, name) in sides { try requireInRange(side, name, 0...65536) }
        let resizing = CropResizing(try choice(rescaleAlgorithm, "rescale_algorithm"))
        var entries: [Stitcher.Entry] = []
        var (pictures, masks): ([Tensor], [Tensor]) = ([], [])
        for frame in try CropFrame.frames(image, mask, optionalContextMask) {
            try context.checkCancellation()
            let (entry, target) = try cut(frame)
            entries.append(entry)
            pictures.append(try resizing.picture(entry.box.cut(entry.canvas), target))
            masks.append(try resizing.mask(entry.blendMask, target))
            // Blending has a softer edge of its own.
            entries[entries.count - 1].blendMask = try softened(masks[masks.count - 1], by: blendPixels)
        }
        guard Set(pictures.map(\.shape)).count == 1 else {
            throw NodeError(
                "the pictures of the batch are cut to different sizes; choose the mode \"\(Mode.forced.rawValue)\"")
        }
        stitch = Stitch(entries: entries)
        croppedImage = Image(try HostMath.concatenate(pictures, axis: 0))
        croppedMask = Mask(try HostMath.concatenate(masks, axis: 0))
    }

    /// What is cut out of a frame, with the mask in the size of the box, and the size that it gets.
    private func cut(_ source: CropFrame) throws -> (entry: Stitcher.Entry, target: PictureSize) {
        var frame = source
        if fillMaskHoles { frame.mask = try MaskPreparation.holesFilled(frame.mask) }
        frame.mask = try softened(frame.mask, by: blurMaskPixels)
        if invertMask { frame.mask = try HostMath.map(frame.mask) { 1 - $0 } }

        let size = frame.size
        var box = try Box.around(frame.mask) ?? Box(x: 0, y: 0, width: size.width, height: size.height)
        if let other = try Box.around(frame.contextMask) { box = box.union(other) }
        box = ContextBox.extended(box, factor: contextExpandFactor, pixels: contextExpandPixels, in: size)
        let target = try target(of: box)
        box = ContextBox.grown(box, to: target, atLeastTarget: false, in: size)
        let placed = try frame.canvas(holding: box)
        let mask = try placed.box.cut(placed.canvas.mask.asSingleChannelPictures()).asMask()
        return (
            Stitcher.Entry(canvas: placed.canvas.image, box: placed.box, original: placed.original, blendMask: mask),
            target
        )
    }

    private func target(of box: Box) throws -> PictureSize {
        let (width, height) = (Double(box.width), Double(box.height))
        let wanted: PictureSize
        switch try choice(mode, "mode") as Mode {
        case .forced: wanted = PictureSize(width: forceWidth, height: forceHeight)
        case .free:
            wanted = PictureSize(width: (width * rescaleFactor).roundedInt, height: (height * rescaleFactor).roundedInt)
        case .ranged:
            guard minWidth <= maxWidth, minHeight <= maxHeight else {
                throw NodeError(
                    "the smallest size, \(minWidth)×\(minHeight), exceeds the largest one, \(maxWidth)×\(maxHeight)")
            }
            let least = max(Double(minWidth) / width, Double(minHeight) / height)
            let most = min(Double(maxWidth) / width, Double(maxHeight) / height)
            let scale = min(max(1, least), most)
            wanted = PictureSize(
                width: min(max((width * scale).roundedInt, minWidth), maxWidth),
                height: min(max((height * scale).roundedInt, minHeight), maxHeight))
        }
        let target = PictureSize(
            width: ContextBox.raised(max(wanted.width, 1), toMultipleOf: padding),
            height: ContextBox.raised(max(wanted.height, 1), toMultipleOf: padding))
        try requireInRange(target.width, "width of the result", 1...65536)
        try requireInRange(target.height, "height of the result", 1...65536)
        return target
    }

    /// A mask grown and blurred by a number of pixels.
    private func softened(_ mask: Tensor, by pixels: Double) throws -> Tensor {
        let pixels = min(max(pixels, 0), 4096).roundedInt
        return try MaskPreparation.blurred(MaskPreparation.expanded(mask, by: pixels), by: pixels)
    }
}
