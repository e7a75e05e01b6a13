import Diffusion
import Models
import NodeKit
import Sampling
import Tensors

/// Amplifies the backbone and damps the low frequencies of the skips (families-unet-sampling.md §13).
struct FreeUNode: Node {
    static let info = NodeInfo("FreeU", category: "model_patches/unet")

    @Input var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01)) var b1 = 1.1
    @Input(.range(0.0...10.0), .step(0.01)) var b2 = 1.2
    @Input(.range(0.0...10.0), .step(0.01)) var s1 = 0.9
    @Input(.range(0.0...10.0), .step(0.01)) var s2 = 0.2
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = try model.changingUNet("FreeU") {
            $0.freeU = FreeU(b1: b1, b2: b2, s1: s1, s2: s2, isAdaptive: false)
        }
    }
}

/// FreeU whose amplification follows the backbone's mean.
struct FreeUV2Node: Node {
    static let info = NodeInfo("FreeU_V2", category: "model_patches/unet")

    @Input var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01)) var b1 = 1.3
    @Input(.range(0.0...10.0), .step(0.01)) var b2 = 1.4
    @Input(.range(0.0...10.0), .step(0.01)) var s1 = 0.9
    @Input(.range(0.0...10.0), .step(0.01)) var s2 = 0.2
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = try model.changingUNet("FreeU_V2") {
            $0.freeU = FreeU(b1: b1, b2: b2, s1: s1, s2: s2, isAdaptive: true)
        }
    }
}

/// Moves away from what the network predicts when its middle attends to nothing (Ahn et al. 2024): the guided estimate
/// gets scale · (positive − perturbed positive).
struct PerturbedAttentionGuidance: Node {
    static let info = NodeInfo("PerturbedAttentionGuidance", category: "model_patches/unet", style: .v3)

    @Input var model: DiffusionModel
    @Input(.range(0.0...100.0), .step(0.01), .round(0.01)) var scale = 3.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let strength = Float(scale)
        // Says now, not in the first step, if the model is no UNet.
        result = try model.changingUNet("PerturbedAttentionGuidance") { _ in }
        guard strength != 0 else { return }
        result[GuidanceAdjustments.self] =
            (model[GuidanceAdjustments.self] ?? []) + [
                { inputs in
                    guard var perturbed = inputs.network as? UNetNetwork else { return inputs.denoised }
                    perturbed.options.skipsMiddleSelfAttention = true
                    let other = try inputs.positiveEstimate(perturbed)
                    return try HostMath.zip(inputs.denoised, inputs.positive, other) { $0 + ($1 - $2) * strength }
                }
            ]
    }
}

extension DiffusionModel {
    /// The model with other options of its UNet.
    ///
    /// - Throws: ``NodeError`` when the network is no UNet.
    func changingUNet(_ node: String, _ change: (inout UNetOptions) -> Void) throws -> DiffusionModel {
        guard var unet = network as? UNetNetwork else {
            throw NodeError(
                "\(node) changes the inside of a UNet (SD1.x, SD2.x, SDXL); the model is \(network.family), which has none"
            )
        }
        change(&unet.options)
        var changed = self
        changed.network = unet
        return changed
    }
}
