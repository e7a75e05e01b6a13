import Diffusion
import Images
import NodeKit
import Tensors

/// The latent of a picture without what is to be painted, and the grown mask (families-unet-sampling.md §11.3).
struct VAEEncodeForInpaint: Node {
    static let info = NodeInfo(
        "VAEEncodeForInpaint", displayName: "VAE Encode (for Inpainting)", category: "latent/inpaint")

    @Input var pixels: Image
    @Input var vae: AutoencoderValue
    @Input var mask: Mask
    @Input(.range(0...64), .step(1)) var growMaskBy = 6
    @Output var latent: Latent

    func run(_ context: NodeContext) async throws {
        try requireInRange(growMaskBy, "grow_mask_by", 0...4096)
        let input = try prepareInpainting(pixels.tensor, mask: mask.tensor)
        latent = Latent(
            samples: try vae.encode(input.masked, context),
            noiseMask: try growInpaintMask(input.mask, by: growMaskBy))
    }
}

/// Gives inpainting networks the picture without what is to be painted, and the mask
/// (families-unet-sampling.md §11.4, families-flux.md §9).
struct InpaintModelConditioning: Node {
    static let info = NodeInfo("InpaintModelConditioning", category: "conditioning/inpaint")

    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var vae: AutoencoderValue
    @Input var pixels: Image
    @Input var mask: Mask
    @Input var noiseMask = true
    @Output("positive") var inpaintPositive: ConditioningValue
    @Output("negative") var inpaintNegative: ConditioningValue
    @Output("latent") var latent: Latent

    func run(_ context: NodeContext) async throws {
        let input = try prepareInpainting(pixels.tensor, mask: mask.tensor)
        let hole = try vae.encode(input.masked, context)
        func extended(_ conditioning: ConditioningValue) -> ConditioningValue {
            conditioning.mapEntries { entry in
                entry[ConcatLatent.self] = hole
                entry[ConcatMask.self] = input.mask
            }
        }
        (inpaintPositive, inpaintNegative) = (extended(positive), extended(negative))
        latent = Latent(
            samples: try vae.encode(input.original, context),
            noiseMask: noiseMask ? input.mask : nil)
    }
}

/// Gives networks that edit a picture its latent; the run starts from an empty one.
struct InstructPixToPixConditioning: Node {
    static let info = NodeInfo("InstructPixToPixConditioning", category: "conditioning/instructpix2pix", style: .v3)

    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var vae: AutoencoderValue
    @Input var pixels: Image
    @Output("positive") var editPositive: ConditioningValue
    @Output("negative") var editNegative: ConditioningValue
    @Output("latent") var latent: Latent

    func run(_ context: NodeContext) async throws {
        let source = try vae.encode(pixels.tensor, context)
        func extended(_ conditioning: ConditioningValue) -> ConditioningValue {
            conditioning.mapEntries { $0[ConcatLatent.self] = source }
        }
        (editPositive, editNegative) = (extended(positive), extended(negative))
        latent = Latent(samples: try Tensor.zeros(source.shape))
    }
}
