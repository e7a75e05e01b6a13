import Diffusion
import Images
import Models
import NodeKit
import Sampling

/// Inner blocks at a smaller size in the first part of a run (``DeepShrink``).
struct PatchModelAddDownscale: Node {
    static let info = NodeInfo(
        "PatchModelAddDownscale", displayName: "PatchModelAddDownscale (Kohya Deep Shrink)",
        category: "model_patches/unet", style: .v3)

    @Input var model: DiffusionModel
    @Input(.range(1...32), .step(1)) var blockNumber = 3
    @Input(.range(0.1...9.0), .step(0.001)) var downscaleFactor = 2.0
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.0
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 0.35
    @Input var downscaleAfterSkip = true
    @Input(.choices(["bicubic", "nearest-exact", "bilinear", "area", "bislerp"])) var downscaleMethod: String
    @Input(.choices(["bicubic", "nearest-exact", "bilinear", "area", "bislerp"])) var upscaleMethod: String
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        guard downscaleFactor > 0, downscaleFactor.isFinite else {
            throw NodeError("input \"downscale_factor\": \(downscaleFactor) is not above 0")
        }
        let shrink = DeepShrink(
            block: blockNumber, factor: downscaleFactor, isAfterSkip: downscaleAfterSkip,
            range: PercentRange(start: startPercent, end: endPercent), sampling: model.sampling,
            shrinking: try choice(downscaleMethod, "downscale_method"),
            growing: try choice(upscaleMethod, "upscale_method"))
        result = try model.changingUNet("PatchModelAddDownscale") { $0.deepShrink = shrink }
    }
}

/// Moves away from what the network makes of a blurred picture (``SelfAttentionGuidance``).
struct SelfAttentionGuidanceNode: Node {
    static let info = NodeInfo(
        "SelfAttentionGuidance", displayName: "Self-Attention Guidance", category: "_for_testing", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.range(-2.0...5.0), .step(0.01)) var scale = 0.5
    @Input(.range(0.0...10.0), .step(0.1)) var blurSigma = 2.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let (scale, sigma) = (Float(scale), blurSigma)
        // Says now, not in the first step, if the model is no UNet.
        result = try model.changingUNet("SelfAttentionGuidance") { _ in }
            .adjustingGuidance { try SelfAttentionGuidance.apply($0, scale: scale, sigma: sigma) }
    }
}

/// What compiles a model for a GPU in the reference; nothing is to be compiled here, and results are the same.
struct TorchCompileModel: Node {
    static let info = NodeInfo("TorchCompileModel", category: "_for_testing", style: .v3).experimental

    @Input var model: DiffusionModel
    @Input(.choices(["inductor", "cudagraphs"])) var backend: String
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws { result = model }
}
