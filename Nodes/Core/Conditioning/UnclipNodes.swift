import Diffusion
import Models
import NodeKit

/// Adds a picture that the result should resemble, for unCLIP models and SDXL.
struct UnclipConditioning: Node {
    static let info = NodeInfo("unCLIPConditioning", category: "conditioning")

    @Input var conditioning: ConditioningValue
    @Input var clipVisionOutput: CLIPVisionOutput
    @Input(.range(-10.0...10.0), .step(0.01)) var strength = 1.0
    @Input(.range(0.0...1.0), .step(0.01)) var noiseAugmentation = 0.0
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard strength != 0 else {
            result = conditioning
            return
        }
        guard let embeds = clipVisionOutput.imageEmbeds else {
            throw NodeError(
                "the image encoder gives no embedding of whole pictures (SigLIP does not); load the model's own with "
                    + "CLIPVisionLoader or unCLIPCheckpointLoader")
        }
        let seen = SeenPictures(
            embeds: embeds, strength: Float(strength), noiseAugmentation: noiseAugmentation)
        result = conditioning.mapEntries { $0[UnclipPictures.self] = ($0[UnclipPictures.self] ?? []) + [seen] }
    }
}

/// An all-in-one file of an unCLIP model, with its image encoder.
struct UnclipCheckpointLoader: Node {
    static let info = NodeInfo("unCLIPCheckpointLoader", category: "loaders", work: .loading)

    @Input(.files("checkpoints")) var ckptName: String
    @Output var model: DiffusionModel
    @Output var clip: TextEncoderValue
    @Output var vae: AutoencoderValue
    @Output var clipVision: CLIPVisionModel

    func run(_ context: NodeContext) async throws {
        let files = context.files
        let path = try files.model("checkpoints", ckptName)
        let parts = try ModelLoader.checkpoint(
            path: path, tokenizerFolders: files.modelFolders("tokenizers"),
            embeddings: { files.embedding(named: $0) }, warn: context.warn)
        model = DiffusionModel(network: parts.network)
        clip = TextEncoderValue(parts.encoder ?? MissingTextEncoder(file: ckptName, loaders: parts.encoderLoaders))
        vae = AutoencoderValue(parts.autoencoder ?? MissingAutoencoder(file: ckptName))
        if let encoder = try ModelLoader.imageEncoder(ofCheckpoint: path) {
            clipVision = encoder
        } else {
            $clipVision.block("the checkpoint \(ckptName) holds no image encoder; load one with CLIPVisionLoader")
        }
    }
}
