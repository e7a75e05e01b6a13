import Checkpoints
import Diffusion
import Images
import JSON
import NodeKit
import Tensors

/// Writes a latent into the output folder, with the workflow in it.
struct SaveLatent: Node {
    static let info = NodeInfo(
        "SaveLatent", category: "_for_testing", isOutput: true, hidden: [.prompt, .extraPNGInfo])

    @Input var samples: Latent
    @Input var filenamePrefix = "latents/ComfyUI"

    func run(_ context: NodeContext) async throws {
        var name = try OutputName(prefix: filenamePrefix, outputFolder: context.files.outputFolder)
        let file = name.fileName(suffix: "latent")
        let metadata = context.workflowTexts.map { ($0.key, $0.text) }
        try OutputFile.write(LatentFile.encode(samples.samples, metadata: metadata), to: name.path(of: file))
        context.show([
            "latents": .array([
                .object(["filename": .string(file), "subfolder": .string(name.subfolder), "type": .string("output")])
            ])
        ])
    }
}

/// A latent file of the input folder.
struct LoadLatent: ValidatingNode {
    static let info = NodeInfo("LoadLatent", category: "_for_testing", work: .loading)

    @Input(.choices([])) var latent: String
    @Output var result: Latent

    static var checks: NodeChecks { NodeChecks(ports: ["latent"]) }

    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String? {
        guard $latent.isGiven else { return nil }
        return reasonAgainst { _ = try files.input(latent) }
    }

    func fingerprint(_ context: NodeContext) throws -> String? {
        guard $latent.isGiven else { return nil }
        return try context.files.fingerprint(path: context.files.input(latent))
    }

    func run(_ context: NodeContext) async throws {
        result = Latent(samples: try LatentFile.load(path: context.files.input(latent)))
    }
}
