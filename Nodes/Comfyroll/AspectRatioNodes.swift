import CoreNodes
import Diffusion
import JSON
import NodeKit
import PackTools
import Tensors

/// Sizes by name: "custom", or a name whose last word is WIDTHxHEIGHT.
private enum NamedSize {
    static let stableDiffusion = [
        "1:1 square 512x512", "2:3 portrait 512x768", "3:4 portrait 512x682", "3:2 landscape 768x512",
        "4:3 landscape 682x512", "16:9 cinema 910x512", "1.85:1 cinema 952x512", "2:1 cinema 1024x512",
    ]
    static let large = [
        "1:1 square 1024x1024", "3:4 portrait 896x1152", "5:8 portrait 832x1216", "9:16 portrait 768x1344",
        "9:21 portrait 640x1536", "4:3 landscape 1152x896", "3:2 landscape 1216x832", "16:9 landscape 1344x768",
        "21:9 landscape 1536x640",
    ]

    /// - Throws: ``NodeError`` for a name without a size.
    static func size(_ name: String, custom: PictureSize) throws -> PictureSize {
        if name == "custom" { return custom }
        let sides = (name.split(separator: " ").last ?? "").split(separator: "x").map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1], (1...65536).contains(width),
            (1...65536).contains(height)
        else {
            throw NodeError(
                "input \"aspect_ratio\": \"\(name.prefix(80))\" does not end in a size like 1024x1024; use such a name or "
                    + "\"custom\"")
        }
        return PictureSize(width: width, height: height)
    }

    static func objection(to name: String) -> String? {
        do {
            _ = try size(name, custom: PictureSize(width: 0, height: 0))
            return nil
        } catch {
            return "\(error)"
        }
    }
}

private func emptyLatent(_ size: PictureSize, batch: Int) throws -> Latent {
    try requireInRange(size.width, "width", 8...65536)
    try requireInRange(size.height, "height", 8...65536)
    try requireInRange(batch, "batch_size", 1...4096)
    return Latent(samples: try Tensor.zeros([batch, 4, size.height / 8, size.width / 8]))
}

/// A picture size by name, with an empty latent of that size (pack-nodes.md §4).
struct CRAspectRatio: ValidatingNode {
    static let info = NodeInfo(
        "CR Aspect Ratio", displayName: "🔳 CR Aspect Ratio", category: "🧩 Comfyroll Studio/✨ Essential/🔳 Aspect Ratio")
    // Names of other versions of the pack hold their size as well.
    static var checks: NodeChecks { NodeChecks(ports: ["aspect_ratio"]) }

    @Input(.range(64...8192)) var width = 1024
    @Input(.range(64...8192)) var height = 1024
    @Input(
        .choices(
            ["custom"] + NamedSize.stableDiffusion.map { "SD1.5 - " + $0 } + NamedSize.large.map { "SDXL - " + $0 }))
    var aspectRatio: String
    @Input(.choices(["Off", "On"])) var swapDimensions: String
    @Input(.range(0.1...100.0), .step(0.1)) var upscaleFactor = 1.0
    @Input(.range(0.1...100.0), .step(0.1)) var prescaleFactor = 1.0
    @Input(.range(1...64)) var batchSize = 1
    @Output("width") var resultWidth: Int
    @Output("height") var resultHeight: Int
    @Output("upscale_factor") var upscale: Double
    @Output("prescale_factor") var prescale: Double
    @Output("batch_size") var batch: Int
    @Output("empty_latent") var latent: Latent
    @Output("show_help") var help: String

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $aspectRatio.isGiven ? NamedSize.objection(to: aspectRatio) : nil
    }

    func run(_ context: NodeContext) async throws {
        var size = try NamedSize.size(aspectRatio, custom: PictureSize(width: width, height: height))
        if swapDimensions == "On" { size = PictureSize(width: size.height, height: size.width) }
        size.width = (Double(size.width) * prescaleFactor).truncatedInt
        size.height = (Double(size.height) * prescaleFactor).truncatedInt
        latent = try emptyLatent(size, batch: batchSize)
        (resultWidth, resultHeight, upscale) = (size.width, size.height, upscaleFactor)
        (prescale, batch, help) = (prescaleFactor, batchSize, helpText)
    }
}

/// A picture size for SDXL by name, with an empty latent of that size.
struct CRSDXLAspectRatio: ValidatingNode {
    static let info = NodeInfo(
        "CR SDXL Aspect Ratio", displayName: "🔳 CR SDXL Aspect Ratio",
        category: "🧩 Comfyroll Studio/✨ Essential/🔳 Aspect Ratio")
    static var checks: NodeChecks { NodeChecks(ports: ["aspect_ratio"]) }

    @Input(.range(64...8192)) var width = 1024
    @Input(.range(64...8192)) var height = 1024
    @Input(.choices(["custom"] + NamedSize.large)) var aspectRatio: String
    @Input(.choices(["Off", "On"])) var swapDimensions: String
    @Input(.range(0.1...100.0), .step(0.1)) var upscaleFactor = 1.0
    @Input(.range(1...64)) var batchSize = 1
    @Output("width") var resultWidth: Int
    @Output("height") var resultHeight: Int
    @Output("upscale_factor") var upscale: Double
    @Output("batch_size") var batch: Int
    @Output("empty_latent") var latent: Latent
    @Output("show_help") var help: String

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        $aspectRatio.isGiven ? NamedSize.objection(to: aspectRatio) : nil
    }

    func run(_ context: NodeContext) async throws {
        var size = try NamedSize.size(aspectRatio, custom: PictureSize(width: width, height: height))
        if swapDimensions == "On" { size = PictureSize(width: size.height, height: size.width) }
        latent = try emptyLatent(size, batch: batchSize)
        (resultWidth, resultHeight, upscale) = (size.width, size.height, upscaleFactor)
        (batch, help) = (batchSize, helpText)
    }
}
