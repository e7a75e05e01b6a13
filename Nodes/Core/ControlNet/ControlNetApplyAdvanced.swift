import Diffusion
import NodeKit

/// Attaches a ControlNet with its hint picture to both conditionings (families-flux.md §7.1).
struct ControlNetApplyAdvanced: Node {
    static let info = NodeInfo(
        "ControlNetApplyAdvanced", displayName: "Apply ControlNet", category: "conditioning/controlnet")

    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var controlNet: ControlNet
    @Input var image: Image
    @Input(.range(0.0...10.0), .step(0.01)) var strength = 1.0
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.0
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 1.0
    @Input var vae: AutoencoderValue?
    @Output("positive") var controlledPositive: ConditioningValue
    @Output("negative") var controlledNegative: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard strength != 0 else {
            (controlledPositive, controlledNegative) = (positive, negative)
            return
        }
        let network = controlNet.network
        guard vae != nil || !network.needsAutoencoder else {
            throw NodeError(
                "input \"vae\": this ControlNet (\(network.family)) encodes its hint with the model's VAE; connect one")
        }
        let attachment = ControlAttachment(
            control: controlNet, image: image.tensor, strength: Float(strength),
            range: PercentRange(start: startPercent, end: endPercent), autoencoder: vae?.autoencoder)
        controlledPositive = positive.attaching(attachment)
        controlledNegative = negative.attaching(attachment)
    }
}
