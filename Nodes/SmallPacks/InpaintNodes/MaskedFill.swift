import CoreNodes
import Images
import JSON
public import NodeKit
import PackTools
import Tensors

/// Nodes of comfyui-inpaint-nodes that need no model.
public let inpaintNodesPack = NodePack("comfyui-inpaint-nodes", nodes: [MaskedFill.self])

/// Fills what is under a mask (pack-nodes.md §10). Of the pack's ways to fill there is "neutral", grey.
struct MaskedFill: ValidatingNode {
    static let info = NodeInfo("INPAINT_MaskedFill", displayName: "Fill Masked Area", category: "inpaint")
    static var checks: NodeChecks { NodeChecks(ports: ["fill"]) }

    @Input var image: Image
    @Input var mask: Mask
    @Input(.choices(["neutral", "telea", "navier-stokes"])) var fill: String
    @Input(.range(0...8191), .tooltip("How far the mask is softened inward.")) var falloff = 0
    @Output("IMAGE") var result: Image

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $fill.isGiven ? objection : nil
    }

    private var objection: String? {
        fill == "neutral"
            ? nil : "input \"fill\": only \"neutral\" is supported here, found \"\(fill.prefix(50))\""
    }

    func run(_ context: NodeContext) async throws {
        if let objection { throw NodeError(objection) }
        try requireInRange(falloff, "falloff", 0...8191)
        let size = try image.size()
        guard try mask.size() == size else {
            throw NodeError(
                "the mask of the size \(try mask.size().width)×\(try mask.size().height) does not fit the picture of "
                    + "\(size.width)×\(size.height) pixels; resize one of them")
        }
        let pixels = try image.tensor.asFloat32()
        let hole = try HostMath.map(mask.tensor.asSingleChannelPictures()) { $0 > 0 ? 1 : 0 }
        let alpha = try HostMath.cycleBatch(softened(hole), to: pixels.shape[0])
        let spread = try alpha.broadcast(to: pixels.shape).asFloat32()
        result = Image(try HostMath.zip(pixels, spread) { ($0 - 0.5) * (1 - $1) + 0.5 })
    }

    /// The hole, at its border fading over about `falloff` pixels toward the inside: eroded, then blurred.
    private func softened(_ hole: Tensor) throws -> Tensor {
        guard falloff > 0 else { return hole }
        let radius = falloff % 2 == 0 ? falloff + 1 : falloff
        let eroded = try growMask(hole.asMask(), by: -radius, tapered: false).asSingleChannelPictures()
        let blur = GaussianFilter(radius: radius, sigma: 0.3 * Double(radius - 1) + 0.8, edge: .mirror)
        return try HostMath.multiply(hole, blur(eroded))
    }
}
