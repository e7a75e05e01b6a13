import Diffusion
import Images
import NodeKit
import Tensors

/// Attaches an inpainting ControlNet: the picture without what is to be painted, and the mask (families-flux.md §7.2).
struct ControlNetInpaintingAliMamaApply: Node {
    static let info = NodeInfo("ControlNetInpaintingAliMamaApply", category: "conditioning/controlnet")

    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var controlNet: ControlNet
    @Input var vae: AutoencoderValue
    @Input var image: Image
    @Input var mask: Mask
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
        var hint = image.tensor
        var kept: Tensor?
        // A network without a mask channel gets the whole picture, as from any other apply node.
        if controlNet.network.extraHintChannels > 0 {
            let inverse = try invertMask(mask.tensor)
            hint = try cutOut(image, keeping: inverse)
            kept = inverse
        }
        let attachment = ControlAttachment(
            control: controlNet, image: hint, mask: kept, strength: Float(strength),
            range: PercentRange(start: startPercent, end: endPercent), autoencoder: vae.autoencoder)
        controlledPositive = positive.attaching(attachment)
        controlledNegative = negative.attaching(attachment)
    }

    /// The picture, black where the mask `kept` (resized, rounded) is 0. One of either serves all of the other.
    private func cutOut(_ image: Image, keeping kept: Tensor) throws -> Tensor {
        let resized = try resizeMask(kept, width: image.width, height: image.height, method: .bilinear, crop: .center)
        let binary = try HostMath.map(resized) { $0.rounded(.toNearestOrEven) }
        let (pictures, masks) = (image.batch, binary.shape[0])
        guard pictures == masks || pictures == 1 || masks == 1 else {
            throw NodeError(
                "inputs \"image\" and \"mask\": \(pictures) pictures and \(masks) masks do not go together; use as many "
                    + "masks as pictures, or one")
        }
        let shape = image.tensor.shape.replacing(0, with: max(pictures, masks))
        let planes = try binary.reshaped([masks, image.height, image.width, 1]).broadcast(to: shape)
        return try HostMath.multiply(image.tensor.broadcast(to: shape), planes)
    }
}
