import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// The size and number of pictures (pack-nodes.md §2).
struct GetImageSizeAndCount: Node {
    static let info = NodeInfo(
        "GetImageSizeAndCount", displayName: "Get Image Size & Count", category: "KJNodes/image")

    @Input var image: Image
    @Output("image") var result: Image
    @Output("width") var width: Int
    @Output("height") var height: Int
    @Output("count") var count: Int

    func run(_ context: NodeContext) async throws {
        let size = try image.size()
        (result, width, height, count) = (image, size.width, size.height, image.batch)
    }
}

/// Pictures in another size (pack-nodes.md §2); the older of the pack's two nodes.
struct ImageResizeKJ: ValidatingNode {
    static let info = NodeInfo(
        "ImageResizeKJ", displayName: "Resize Image (deprecated)", category: "KJNodes/image")
    // Old files hold 0 here, which means the centre.
    static var checks: NodeChecks { NodeChecks(ports: ["crop"]) }

    @Input var image: Image
    @Input(.range(0...16384)) var width = 512
    @Input(.range(0...16384)) var height = 512
    @Input(.choices(["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])) var upscaleMethod: String
    @Input var keepProportion = false
    @Input(.range(0...512)) var divisibleBy = 2
    @Input(.forceInput, .tooltip("Replaces the width if it is not 0.")) var widthInput: Int?
    @Input(.forceInput, .tooltip("Replaces the height if it is not 0.")) var heightInput: Int?
    @Input(.tooltip("Its size replaces width and height.")) var getImageSize: Image?
    @Input(.choices(["disabled", "center"]), .optional) var crop = "disabled"
    @Output("IMAGE") var result: Image
    @Output("width") var resultWidth: Int
    @Output("height") var resultHeight: Int

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        guard $crop.isGiven, !["disabled", "center", "0"].contains(crop) else { return nil }
        return "input \"crop\": \"\(crop.prefix(50))\" is unknown; use disabled or center"
    }

    func run(_ context: NodeContext) async throws {
        let source = try image.size()
        var size = try getImageSize?.size() ?? wanted(source)
        if getImageSize == nil && divisibleBy > 1 {
            size.width -= size.width % divisibleBy
            size.height -= size.height % divisibleBy
        }
        try requireInRange(size.width, "width", 1...65536)
        try requireInRange(size.height, "height", 1...65536)
        result = Image(
            try resizeImage(
                image.tensor, width: size.width, height: size.height,
                method: try choice(upscaleMethod, "upscale_method"), crop: crop == "disabled" ? .disabled : .center))
        (resultWidth, resultHeight) = (size.width, size.height)
    }

    private func wanted(_ source: PictureSize) throws -> PictureSize {
        func side(_ widget: Int, _ linked: Int?) -> Int {
            if let linked, linked != 0 { return linked }
            return widget
        }
        let size = PictureSize(width: side(width, widthInput), height: side(height, heightInput))
        try requireInRange(size.width, "width", 0...65536)
        try requireInRange(size.height, "height", 0...65536)
        return keepProportion
            ? size.fitting(source)
            : PictureSize(
                width: size.width == 0 ? source.width : size.width,
                height: size.height == 0 ? source.height : size.height)
    }
}

extension PictureSize {
    /// The largest size with the aspect ratio of `source` within this one; a side of 0 follows from the other.
    fileprivate func fitting(_ source: PictureSize) -> PictureSize {
        let (oldWidth, oldHeight) = (Double(source.width), Double(source.height))
        switch (width, height) {
        case (0, 0): return source
        case (0, _): return PictureSize(width: (oldWidth * (Double(height) / oldHeight)).roundedInt, height: height)
        case (_, 0): return PictureSize(width: width, height: (oldHeight * (Double(width) / oldWidth)).roundedInt)
        default:
            let ratio = min(Double(width) / oldWidth, Double(height) / oldHeight)
            return PictureSize(width: (oldWidth * ratio).roundedInt, height: (oldHeight * ratio).roundedInt)
        }
    }
}
