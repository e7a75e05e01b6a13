import Diffusion
import Foundation
import JSON
import ModelMaker
import NodeKit
import Tensors
import Testing

@testable import CoreNodes

/// The loaders on real files: the demo's miniature models.
struct LoadedModelTests {
    private static let prefixes = [
        "diffusion_models/flux1-dev": "model.diffusion_model.", "vae/ae": "vae.",
        "text_encoders/clip_l": "text_encoders.clip_l.transformer.",
        "text_encoders/t5xxl_fp16": "text_encoders.t5xxl.transformer.",
    ]

    private let context: NodeContext
    private let installation: TestInstallation
    private let manifests: [String: JSON]

    init() throws {
        installation = try TestInstallation()
        context = installation.context()
        let vocabularies = DemoTokenizers()
        try vocabularies.write(to: installation.root + "/models/tokenizers")
        let all = DemoManifests.all(clipTokens: vocabularies.clipSize, t5Tokens: vocabularies.t5Size + 28)
        manifests = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0.manifest) })
    }

    /// Writes one of the demo's models and returns its file name.
    private func make(_ path: String) throws -> String {
        let target = "\(installation.root)/models/\(path).safetensors"
        try FileManager.default.createDirectory(
            at: URL(filePath: target).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Manifest(parsing: try #require(manifests[path])).write(to: target)
        return URL(filePath: target).lastPathComponent
    }

    /// Writes an all-in-one file of some of the demo's models.
    private func makeCheckpoint(_ parts: [String]) throws -> String {
        var tensors = JSONObject()
        for part in parts {
            let prefix = try #require(Self.prefixes[part])
            for (key, value) in try #require(manifests[part]?["tensors"]?.objectValue) { tensors[prefix + key] = value }
        }
        let folder = installation.root + "/models/checkpoints"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let manifest: JSON = .object(["seed": .int(1), "dtype": .string("BF16"), "tensors": .object(tensors)])
        try Manifest(parsing: manifest).write(to: folder + "/all.safetensors")
        return "all.safetensors"
    }

    @Test(arguments: ["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"])
    func network(weightType: String) async throws {
        let model: DiffusionModel = try await call(
            "UNETLoader", ["unet_name": try make("diffusion_models/flux1-dev"), "weight_dtype": weightType], context)
        #expect(model.network.family == "FLUX.1 dev")
        #expect(installation.warnings.isEmpty)
    }

    @Test func loraOnARealNetwork() async throws {
        let model: DiffusionModel = try await call(
            "UNETLoader", ["unet_name": try make("diffusion_models/flux1-dev"), "weight_dtype": "default"], context)
        let lora = try make("loras/FLUX.1-Turbo-Alpha")
        _ = try await call(
            "LoraLoaderModelOnly", ["model": model, "lora_name": lora, "strength_model": 1.0], context)
        #expect(installation.warnings.isEmpty)
    }

    @Test func textEncoders() async throws {
        let clip: TextEncoderValue = try await call(
            "DualCLIPLoader",
            [
                "clip_name1": try make("text_encoders/clip_l"), "clip_name2": try make("text_encoders/t5xxl_fp16"),
                "type": "flux", "device": "default",
            ], context)
        let result: ConditioningValue = try await call(
            "CLIPTextEncode", ["text": "a small house, embedding:absent", "clip": clip], context)
        #expect(result.entries[0].context.shape.array.prefix(2) == [1, 256])
        #expect(result.entries[0][PooledOutput.self]?.shape.rank == 2)
        #expect(installation.warnings.contains { $0.contains("absent") })
    }

    @Test func autoencoderAndControlNet() async throws {
        let vae: AutoencoderValue = try await call("VAELoader", ["vae_name": try make("vae/ae")], context)
        let latent: Latent = try await call(
            "VAEEncode", ["pixels": Image(try Tensor.full([1, 16, 24, 3], 0.5)), "vae": vae], context)
        #expect(latent.samples.shape == [1, 16, 2, 3])
        let control: ControlNet = try await call(
            "ControlNetLoader",
            ["control_net_name": try make("controlnet/FLUX.1-dev-Controlnet-Inpainting-Beta")], context)
        #expect(control.network.extraHintChannels == 1)
        #expect(control.unionType == nil)
    }

    @Test func completeCheckpoint() async throws {
        let name = try makeCheckpoint(Self.prefixes.keys.sorted())
        let parts = try await call("CheckpointLoaderSimple", ["ckpt_name": name], context)
        #expect((parts[0].first as? DiffusionModel)?.network.family == "FLUX.1 dev")
        #expect((parts[1].first as? TextEncoderValue)?.encoder is MissingTextEncoder == false)
        #expect((parts[2].first as? AutoencoderValue)?.autoencoder.latentChannels == 16)
        #expect(installation.warnings.isEmpty, "\(installation.warnings)")
    }

    /// What a checkpoint lacks is only missed by the nodes that need it.
    @Test func checkpointWithoutEncodersAndVAE() async throws {
        let name = try makeCheckpoint(["diffusion_models/flux1-dev"])
        let parts = try await call("CheckpointLoaderSimple", ["ckpt_name": name], context)
        #expect(installation.warnings.count == 2)
        let clip = try #require(parts[1].first)
        let encoding = await failure { _ = try await call("CLIPTextEncode", ["text": "a", "clip": clip], context) }
        #expect(encoding.contains("all.safetensors") && encoding.contains("DualCLIPLoader"))
        let decoding = await failure {
            let latent = Latent(samples: try Tensor.zeros([1, 16, 2, 2]))
            _ = try await call("VAEDecode", ["samples": latent, "vae": try #require(parts[2].first)], context)
        }
        #expect(decoding.contains("all.safetensors") && decoding.contains("VAELoader"))
        // A LoRA still reaches the network.
        let lora = try make("loras/FLUX.1-Turbo-Alpha")
        let results = try await call(
            "LoraLoader",
            [
                "model": try #require(parts[0].first), "clip": clip, "lora_name": lora, "strength_model": 1.0,
                "strength_clip": 1.0,
            ], context)
        #expect(results[0].first is DiffusionModel)
    }

    @Test func embeddingsAreFoundWithOrWithoutExtension() throws {
        try installation.add(model: "embeddings", "style.safetensors", safetensorsFile(keys: ["clip_l"]))
        let files: any NodeFiles = installation
        let path = installation.root + "/models/embeddings/style.safetensors"
        #expect(files.embedding(named: "style") == path)
        #expect(files.embedding(named: "style.safetensors") == path)
        #expect(files.embedding(named: "../loras/x") == nil)
        #expect(files.embedding(named: "") == nil)
    }
}
