import CoreNodes
import Images
import JSON
import NodeKit
import PackTools
import Tensors

/// Pictures in another size, by several rules (pack-nodes.md §9).
struct EssentialsImageResize: Node {
    static let info = NodeInfo("ImageResize+", displayName: "🔧 Image Resize", category: "essentials/image manipulation")

    @Input var image: Image
    @Input(.range(0...16384)) var width = 512
    @Input(.range(0...16384)) var height = 512
    @Input(.choices(["nearest", "bilinear", "bicubic", "area", "nearest-exact", "lanczos"])) var interpolation: String
    @Input(.choices(["stretch", "keep proportion", "fill / crop", "pad"])) var method: String
    @Input(.choices(ResizeCondition.allCases.map(\.rawValue))) var condition: String
    @Input(.range(0...512)) var multipleOf = 0
    @Output("IMAGE") var result: Image
    @Output("width") var resultWidth: Int
    @Output("height") var resultHeight: Int

    func run(_ context: NodeContext) async throws {
        let source = try image.size()
        try requireInRange(width, "width", 0...65536)
        try requireInRange(height, "height", 0...65536)
        try requireInRange(multipleOf, "multiple_of", 0...65536)
        var wanted = PictureSize(width: width, height: height)
        if multipleOf > 1 {
            wanted.width -= wanted.width % multipleOf
            wanted.height -= wanted.height % multipleOf
        }
        let plan = ResizePlan(source, to: wanted, method)
        let rule: ResizeCondition = try choice(condition, "condition")
        var pixels = try image.tensor.asFloat32()
        if rule.holds(for: source, target: plan.size) {
            try requireInRange(plan.size.width, "width", 1...65536)
            try requireInRange(plan.size.height, "height", 1...65536)
            pixels = try resizeImage(
                pixels, width: plan.size.width, height: plan.size.height,
                method: try choice(interpolation, "interpolation"))
            pixels = try Remapping.apply(pixels, rows: plan.rows(), columns: plan.columns())
        }
        if multipleOf > 1 { pixels = try cutToMultiple(pixels) }
        result = Image(try HostMath.map(pixels) { min(max($0, 0), 1) })
        (resultWidth, resultHeight) = (result.width, result.height)
    }

    /// Both sides cut to multiples around the middle.
    private func cutToMultiple(_ pixels: Tensor) throws -> Tensor {
        func positions(_ length: Int) throws -> [Int?] {
            let rest = length % multipleOf
            guard rest < length else {
                throw NodeError(
                    "a side of \(length) pixels is shorter than multiple_of (\(multipleOf)); nothing is left")
            }
            return try Remapping.padded(length, before: -(rest / 2), after: -(rest - rest / 2))
        }
        return try Remapping.apply(pixels, rows: positions(pixels.shape[1]), columns: positions(pixels.shape[2]))
    }
}

/// When ImageResize+ resizes at all.
enum ResizeCondition: String, CaseIterable {
    case always
    case downscaleIfBigger = "downscale if bigger"
    case upscaleIfSmaller = "upscale if smaller"
    case ifBiggerArea = "if bigger area"
    case ifSmallerArea = "if smaller area"

    func holds(for source: PictureSize, target: PictureSize) -> Bool {
        let area = (
            source: Double(source.width) * Double(source.height), target: Double(target.width) * Double(target.height)
        )
        switch self {
        case .always: return true
        case .downscaleIfBigger: return target.height < source.height || target.width < source.width
        case .upscaleIfSmaller: return target.height > source.height || target.width > source.width
        case .ifBiggerArea: return area.source > area.target
        case .ifSmallerArea: return area.source < area.target
        }
    }
}

/// To what size ImageResize+ resizes, and what it adds or cuts off afterwards.
private struct ResizePlan {
    private(set) var size: PictureSize
    /// Pixels before and behind each axis; negative ones are cut off.
    private var border = (left: 0, right: 0, top: 0, bottom: 0)

    init(_ source: PictureSize, to wanted: PictureSize, _ method: String) {
        let (oldWidth, oldHeight) = (Double(source.width), Double(source.height))
        var target = wanted
        switch method {
        case "keep proportion", "pad":
            // A side of 0 gives no limit, but what is not enlarged keeps its size.
            if target.width == 0 { target.width = source.height < wanted.height ? 16384 : source.width }
            if target.height == 0 { target.height = source.width < wanted.width ? 16384 : source.height }
            let ratio = min(Double(target.width) / oldWidth, Double(target.height) / oldHeight)
            size = PictureSize(width: (oldWidth * ratio).roundedInt, height: (oldHeight * ratio).roundedInt)
            guard method == "pad" else { return }
            let rest = (
                x: wanted.width == 0 ? 0 : wanted.width - size.width,
                y: wanted.height == 0 ? 0 : wanted.height - size.height
            )
            border = (rest.x / 2, rest.x - rest.x / 2, rest.y / 2, rest.y - rest.y / 2)
        case "fill / crop":
            if target.width == 0 { target.width = source.width }
            if target.height == 0 { target.height = source.height }
            let ratio = max(Double(target.width) / oldWidth, Double(target.height) / oldHeight)
            size = PictureSize(width: (oldWidth * ratio).roundedInt, height: (oldHeight * ratio).roundedInt)
            let rest = (x: max(size.width - target.width, 0), y: max(size.height - target.height, 0))
            border = (-(rest.x / 2), -(rest.x - rest.x / 2), -(rest.y / 2), -(rest.y - rest.y / 2))
        default:
            size = PictureSize(
                width: target.width == 0 ? source.width : target.width,
                height: target.height == 0 ? source.height : target.height)
        }
    }

    func rows() throws -> [Int?] { try Remapping.padded(size.height, before: border.top, after: border.bottom) }
    func columns() throws -> [Int?] { try Remapping.padded(size.width, before: border.left, after: border.right) }
}
