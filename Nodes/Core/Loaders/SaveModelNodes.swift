import Checkpoints
import Diffusion
import Images
import JSON
import Models
import NodeKit
import Sampling

/// Writes model, text encoder and VAE into one file, with the workflow in it.
struct CheckpointSave: Node {
    static let info = NodeInfo(
        "CheckpointSave", displayName: "Save Checkpoint", category: "advanced/model_merging", isOutput: true,
        hidden: [.prompt, .extraPNGInfo])

    @Input var model: DiffusionModel
    @Input var clip: TextEncoderValue
    @Input var vae: AutoencoderValue
    @Input var filenamePrefix = "checkpoints/ComfyUI"

    func run(_ context: NodeContext) async throws {
        let content = try CheckpointWriter.checkpoint(
            model.network, encoder: clip.encoder, autoencoder: vae.autoencoder, sampling: model.sampling)
        try context.save(content, prefix: filenamePrefix)
    }
}

/// Writes a network into a file of its own.
struct ModelSave: Node {
    static let info = NodeInfo(
        "ModelSave", category: "advanced/model_merging", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var model: DiffusionModel
    @Input var filenamePrefix = "diffusion_models/ComfyUI"

    func run(_ context: NodeContext) async throws {
        try context.save(
            CheckpointWriter.network(model.network, sampling: model.sampling), prefix: filenamePrefix)
    }
}

/// Writes every transformer of a text encoder into a file of its own: `PREFIX_clip_l_00001_.safetensors`.
struct CLIPSave: Node {
    static let info = NodeInfo(
        "CLIPSave", category: "advanced/model_merging", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var clip: TextEncoderValue
    @Input var filenamePrefix = "clip/ComfyUI"

    func run(_ context: NodeContext) async throws {
        for (name, content) in try CheckpointWriter.encoders(clip.encoder) {
            try context.save(content, prefix: "\(filenamePrefix)_\(name)")
        }
    }
}

/// Writes a VAE into a file of its own.
struct VAESave: Node {
    static let info = NodeInfo(
        "VAESave", category: "advanced/model_merging", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var vae: AutoencoderValue
    @Input var filenamePrefix = "vae/ComfyUI_vae"

    func run(_ context: NodeContext) async throws {
        try context.save(CheckpointWriter.autoencoder(vae.autoencoder), prefix: filenamePrefix)
    }
}

extension NodeContext {
    /// Writes a model file into the output folder, with the workflow in its header.
    ///
    /// - Throws: `ImageError` for a prefix that leaves the folder, `CheckpointError` for what cannot be written,
    ///   `CancellationError` between tensors.
    fileprivate func save(_ content: CheckpointWriter.Content, prefix: String) throws {
        var name = try OutputName(prefix: prefix, outputFolder: files.outputFolder)
        let path = name.path(of: name.fileName(suffix: "safetensors"))
        let metadata = content.metadata + workflowTexts.map { ($0.key, $0.text) }
        try SafetensorsWriter.write(content.tensors, metadata: metadata, to: path) { done, total in
            try checkCancellation()
            progress(Double(done), of: Double(total))
        }
    }
}
