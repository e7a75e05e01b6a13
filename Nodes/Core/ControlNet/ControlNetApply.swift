import Diffusion
import NodeKit

/// Attaches a ControlNet to the positive conditioning, from which negatives without one take it.
struct ControlNetApply: Node {
    static let info = NodeInfo(
        "ControlNetApply", displayName: "Apply ControlNet (OLD)", category: "conditioning/controlnet"
    ).deprecated

    @Input var conditioning: ConditioningValue
    @Input var controlNet: ControlNet
    @Input var image: Image
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard strength != 0 else {
            result = conditioning
            return
        }
        let network = controlNet.network
        guard !network.needsAutoencoder else {
            throw NodeError(
                "this ControlNet (\(network.family)) encodes its hint with the model's VAE, which this node cannot give it; use "
                    + "\"Apply ControlNet\" (ControlNetApplyAdvanced)")
        }
        let attachment = ControlAttachment(
            control: controlNet, image: image.tensor, strength: Float(strength), range: PercentRange(start: 0, end: 1),
            autoencoder: nil)
        result = conditioning.attaching(attachment).mapEntries { $0[ControlForNegative.self] = true }
    }
}

/// Attaches a ControlNet with its hint picture to both conditionings; the old form of ControlNetApplyAdvanced.
struct ControlNetApplySD3: Node {
    static let info = NodeInfo(
        "ControlNetApplySD3", displayName: "Apply Controlnet with VAE", category: "conditioning/controlnet", style: .v3
    ).deprecated

    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var controlNet: ControlNet
    @Input var vae: AutoencoderValue
    @Input var image: Image
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.0
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 1.0
    @Output("positive") var controlledPositive: ConditioningValue
    @Output("negative") var controlledNegative: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard strength != 0 else {
            (controlledPositive, controlledNegative) = (positive, negative)
            return
        }
        let attachment = ControlAttachment(
            control: controlNet, image: image.tensor, strength: Float(strength),
            range: PercentRange(start: startPercent, end: endPercent), autoencoder: vae.autoencoder)
        controlledPositive = positive.attaching(attachment)
        controlledNegative = negative.attaching(attachment)
    }
}
