import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Cuts out what is to be painted, with its surroundings (pack-nodes.md §7).
struct InpaintCropImproved: Node {
    static let info = NodeInfo(
        "InpaintCropImproved", displayName: "✂️ Inpaint Crop (Improved)", category: "inpaint")
    private static let filters = ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]

    @Input var image: Image
    @Input(.choices(filters)) var downscaleAlgorithm = "bilinear"
    @Input(.choices(filters)) var upscaleAlgorithm = "bicubic"
    @Input var preresize = false
    @Input(.choices(PreresizeMode.allCases.map(\.rawValue))) var preresizeMode: String
    @Input(.range(0...16384)) var preresizeMinWidth = 1024
    @Input(.range(0...16384)) var preresizeMinHeight = 1024
    @Input(.range(0...16384)) var preresizeMaxWidth = 16384
    @Input(.range(0...16384)) var preresizeMaxHeight = 16384
    @Input var maskFillHoles = true
    @Input(.range(0...16384)) var maskExpandPixels = 0
    @Input var maskInvert = false
    @Input(.range(0...64)) var maskBlendPixels = 32
    @Input(.range(0.0...1.0), .step(0.01)) var maskHipassFilter = 0.1
    @Input var extendForOutpainting = false
    @Input(.range(0.01...100.0), .step(0.01)) var extendUpFactor = 1.0
    @Input(.range(0.01...100.0), .step(0.01)) var extendDownFactor = 1.0
    @Input(.range(0.01...100.0), .step(0.01)) var extendLeftFactor = 1.0
    @Input(.range(0.01...100.0), .step(0.01)) var extendRightFactor = 1.0
    @Input(.range(1.0...100.0), .step(0.01)) var contextFromMaskExtendFactor = 1.2
    @Input var outputResizeToTargetSize = true
    @Input(.range(64...16384)) var outputTargetWidth = 512
    @Input(.range(64...16384)) var outputTargetHeight = 512
    @Input(.choices(["0", "8", "16", "32", "64", "128", "256", "512"])) var outputPadding = "32"
    @Input var mask: Mask?
    @Input var optionalContextMask: Mask?
    @Output("stitcher") var stitcher: Stitcher
    @Output("cropped_image") var croppedImage: Image
    @Output("cropped_mask") var croppedMask: Mask

    func run(_ context: NodeContext) async throws {
        try requireInRange(outputTargetWidth, "output_target_width", 1...65536)
        try requireInRange(outputTargetHeight, "output_target_height", 1...65536)
        try requireInRange(maskExpandPixels, "mask_expand_pixels", 0...65536)
        try requireInRange(maskBlendPixels, "mask_blend_pixels", 0...4096)
        let algorithms = CropAlgorithms(
            downscale: try choice(downscaleAlgorithm, "downscale_algorithm"),
            upscale: try choice(upscaleAlgorithm, "upscale_algorithm"))
        let frames = try CropFrame.frames(image, mask, optionalContextMask)
        guard frames.count == 1 || outputResizeToTargetSize else {
            throw NodeError(
                "a batch of \(frames.count) pictures needs output_resize_to_target_size, so that all results have one size"
            )
        }
        var entries: [Stitcher.Entry] = []
        var (pictures, masks): ([Tensor], [Tensor]) = ([], [])
        for frame in frames {
            try context.checkCancellation()
            let cut = try cut(frame, algorithms)
            entries.append(cut.entry)
            pictures.append(cut.picture)
            masks.append(cut.mask)
        }
        stitcher = Stitcher(entries: entries, algorithms: algorithms)
        croppedImage = Image(try HostMath.concatenate(pictures, axis: 0))
        croppedMask = Mask(try HostMath.concatenate(masks, axis: 0))
    }

    private func cut(
        _ source: CropFrame, _ algorithms: CropAlgorithms
    ) throws -> (entry: Stitcher.Entry, picture: Tensor, mask: Tensor) {
        var frame = source
        if preresize {
            let limits = Preresize(
                mode: try choice(preresizeMode, "preresize_mode"),
                minimum: PictureSize(width: preresizeMinWidth, height: preresizeMinHeight),
                maximum: PictureSize(width: preresizeMaxWidth, height: preresizeMaxHeight))
            frame = try limits.apply(frame, algorithms)
        }
        if maskFillHoles { frame.mask = try MaskPreparation.holesFilled(frame.mask) }
        frame.mask = try MaskPreparation.expanded(frame.mask, by: maskExpandPixels)
        if maskInvert { frame.mask = try invertMask(frame.mask) }
        frame.mask = try MaskPreparation.blurred(
            MaskPreparation.expanded(frame.mask, by: maskBlendPixels), by: maskBlendPixels)
        frame.mask = try MaskPreparation.highPass(frame.mask, maskHipassFilter)
        frame.contextMask = try MaskPreparation.highPass(frame.contextMask, maskHipassFilter)
        if extendForOutpainting { frame = try extended(frame) }

        let size = frame.size
        var box = try Box.around(frame.mask) ?? Box(x: 0, y: 0, width: size.width, height: size.height)
        box = ContextBox.extended(box, factor: contextFromMaskExtendFactor, in: size)
        if let other = try Box.around(frame.contextMask) { box = box.union(other) }

        guard let padding = Int(outputPadding), (0...4096).contains(padding) else {
            throw NodeError("input \"output_padding\": \"\(outputPadding.prefix(20))\" is no number of pixels")
        }
        let wanted =
            outputResizeToTargetSize
            ? PictureSize(width: outputTargetWidth, height: outputTargetHeight)
            : PictureSize(width: box.width, height: box.height)
        let target = PictureSize(
            width: ContextBox.raised(wanted.width, toMultipleOf: padding),
            height: ContextBox.raised(wanted.height, toMultipleOf: padding))
        box = ContextBox.grown(box, to: target, atLeastTarget: !outputResizeToTargetSize, in: size)
        return try cut(frame, box, target, algorithms)
    }

    /// Puts the frame on a canvas that holds the box, and cuts the box out.
    private func cut(
        _ frame: CropFrame, _ box: Box, _ target: PictureSize, _ algorithms: CropAlgorithms
    ) throws -> (entry: Stitcher.Entry, picture: Tensor, mask: Tensor) {
        let (canvas, boxInCanvas, original) = try frame.canvas(holding: box)
        var picture = try boxInCanvas.cut(canvas.image)
        var mask = try boxInCanvas.cut(canvas.mask.asSingleChannelPictures()).asMask()
        if outputResizeToTargetSize {
            let resizing = CropResizing(
                algorithms, from: PictureSize(width: box.width, height: box.height), to: target)
            picture = try resizing.picture(picture, target)
            mask = try resizing.mask(mask, target)
        }
        let entry = Stitcher.Entry(
            canvas: canvas.image, box: boxInCanvas,
            original: original,
            blendMask: try MaskPreparation.blurred(mask, by: maskBlendPixels))
        return (entry, picture, mask)
    }

    private func extended(_ frame: CropFrame) throws -> CropFrame {
        func border(_ length: Int, _ before: Double, _ after: Double) throws -> (Int, Int) {
            let total = (Double(length) * (1 + (before - 1) + (after - 1))).truncatedInt
            guard (1...1 << 18).contains(total) else {
                throw NodeError(
                    "the extend factors turn a side of \(length) pixels into \(total); 1 to 262144 are possible")
            }
            let first = (Double(length) * (before - 1)).truncatedInt
            return (first, total - length - first)
        }
        let (top, bottom) = try border(frame.size.height, extendUpFactor, extendDownFactor)
        let (left, right) = try border(frame.size.width, extendLeftFactor, extendRightFactor)
        return try frame.extended(left: left, right: right, top: top, bottom: bottom)
    }
}
