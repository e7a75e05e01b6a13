import Diffusion
import Models
import NodeKit

/// A prompt of its own for each of SDXL's text encoders, and the sizes that the network is told
/// (families-unet-sampling.md §4.3 and §5).
struct CLIPTextEncodeSDXL: Node {
    static let info = NodeInfo("CLIPTextEncodeSDXL", category: "advanced/conditioning", style: .v3)

    @Input var clip: TextEncoderValue
    @Input(.range(0...16384)) var width = 1024
    @Input(.range(0...16384)) var height = 1024
    @Input(.range(0...16384)) var cropW = 0
    @Input(.range(0...16384)) var cropH = 0
    @Input(.range(0...16384)) var targetWidth = 1024
    @Input(.range(0...16384)) var targetHeight = 1024
    @Input(.multiline, .dynamicPrompts) var textG: String
    @Input(.multiline, .dynamicPrompts) var textL: String
    @Output var conditioning: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let prompt = PromptText("", perEncoder: ["clip_g": textG, "clip_l": textL])
        var entry = try clip.encoder.encode(prompt, on: context.backend, warn: context.warn)
        entry[PictureWidth.self] = width
        entry[PictureHeight.self] = height
        entry[PictureCropLeft.self] = cropW
        entry[PictureCropTop.self] = cropH
        entry[PictureTargetWidth.self] = targetWidth
        entry[PictureTargetHeight.self] = targetHeight
        conditioning = ConditioningValue([entry])
    }
}

/// A prompt for the SDXL refiner with the size and beauty that its network is told.
struct CLIPTextEncodeSDXLRefiner: Node {
    static let info = NodeInfo("CLIPTextEncodeSDXLRefiner", category: "advanced/conditioning", style: .v3)

    @Input(.range(0.0...1000.0), .step(0.01)) var ascore = 6.0
    @Input(.range(0...16384)) var width = 1024
    @Input(.range(0...16384)) var height = 1024
    @Input(.multiline, .dynamicPrompts) var text: String
    @Input var clip: TextEncoderValue
    @Output var conditioning: ConditioningValue

    func run(_ context: NodeContext) async throws {
        var entry = try clip.encoder.encode(PromptText(text), on: context.backend, warn: context.warn)
        entry[AestheticScore.self] = Float(ascore)
        entry[PictureWidth.self] = width
        entry[PictureHeight.self] = height
        conditioning = ConditioningValue([entry])
    }
}
