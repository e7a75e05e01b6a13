import Diffusion
import Foundation
import NodeKit
import Tensors
import Testing

struct LoaderNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    @Test(arguments: [
        ("UNETLoader", "diffusion_models", ["unet_name": "x.safetensors", "weight_dtype": "default"]),
        ("VAELoader", "vae", ["vae_name": "x.safetensors"]),
        ("ControlNetLoader", "controlnet", ["control_net_name": "x.safetensors"]),
        ("CheckpointLoaderSimple", "checkpoints", ["ckpt_name": "x.safetensors"]),
        (
            "DualCLIPLoader", "text_encoders",
            ["clip_name1": "x.safetensors", "clip_name2": "x.safetensors", "type": "flux"]
        ),
    ]) func filesThatAreNothingKnown(id: String, folder: String, inputs: [String: String]) async throws {
        let missing = await failure { _ = try await call(id, inputs, context) }
        #expect(missing.contains("no \(folder) file \"x.safetensors\""))
        try installation.add(model: folder, "x.safetensors", safetensorsFile(keys: ["a.weight"]))
        let unknown = await failure { _ = try await call(id, inputs, context) }
        #expect(unknown.contains("x.safetensors"), "\(unknown)")
    }

    @Test func unknownChoicesOverLinks() async throws {
        try installation.add(model: "diffusion_models", "x", safetensorsFile(keys: ["a"]))
        let weight = await failure {
            _ = try await call("UNETLoader", ["unet_name": "x", "weight_dtype": "int4"], context)
        }
        #expect(weight.contains("int4") && weight.contains("fp8_e5m2"))
        let pixels = await failure { _ = try await call("VAELoader", ["vae_name": "pixel_space"], context) }
        #expect(pixels.contains("pixel_space"))
    }

    @Test func unsupportedTextEncoderTypes() async throws {
        let single = await failure { _ = try await call("CLIPLoader", ["clip_name": "x", "type": "wan"], context) }
        #expect(single.contains("\"wan\"") && single.contains("\"flux\" with DualCLIPLoader"))
        let dual = await failure {
            _ = try await call("DualCLIPLoader", ["clip_name1": "x", "clip_name2": "y", "type": "hidream"], context)
        }
        #expect(dual.contains("\"hidream\""))
        #expect(try await objection("CLIPLoader", ["type": "wan"], installation) == single)
        #expect(try await objection("DualCLIPLoader", ["type": "hidream"], installation) == dual)
        #expect(try await objection("DualCLIPLoader", ["type": "flux"], installation) == nil)
    }

    // LoRA

    private let model = DiffusionModel(network: StubNetwork())
    private let clip = TextEncoderValue(StubEncoder())
    private func load(
        _ keys: [String], model strengthModel: Double = 1, clip strengthClip: Double = 1
    ) async throws -> (model: Float, clip: Float) {
        try installation.add(model: "loras", "l.safetensors", safetensorsFile(keys: keys))
        let results = try await call(
            "LoraLoader",
            [
                "model": model, "clip": clip, "lora_name": "l.safetensors", "strength_model": strengthModel,
                "strength_clip": strengthClip,
            ], context)
        let network = try #require((results[0].first as? DiffusionModel)?.network as? StubNetwork)
        let encoder = try #require((results[1].first as? TextEncoderValue)?.encoder as? StubEncoder)
        return (network.strength, encoder.strength)
    }

    @Test func loraChangesBoth() async throws {
        let strengths = try await load(["net.a", "lora_te.b"], model: 0.5, clip: -2)
        #expect(strengths == (0.5, -2))
        #expect(installation.warnings.isEmpty)
    }

    @Test func loraWithoutStrengthIsNotEvenRead() async throws {
        let results = try await call(
            "LoraLoader",
            ["model": model, "clip": clip, "lora_name": "absent", "strength_model": 0.0, "strength_clip": 0.0],
            context)
        #expect(((results[0].first as? DiffusionModel)?.network as? StubNetwork)?.strength == 0)
    }

    @Test func loraKeysOfAPartLeftOutAreNoSurprise() async throws {
        #expect(try await load(["net.a", "lora_te.b"], clip: 0) == (1, 0))
        #expect(try await load(["net.a", "lora_te.b"], model: 0) == (0, 1))
        #expect(installation.warnings.isEmpty)
    }

    @Test func unmatchedLoRAKeysAreCountedAndNamed() async throws {
        _ = try await load(["net.a", "x.1", "x.2", "x.3", "x.4"])
        #expect(installation.warnings.count == 1)
        let warning = installation.warnings.first ?? ""
        #expect(warning.contains("4 of 5 keys") && warning.contains("\"x.1\", \"x.2\", \"x.3\", …"))
        #expect(warning.contains("stub network and stub encoder"))
    }

    @Test func loraThatChangesNothing() async throws {
        _ = try await load(["x.1"])
        #expect(installation.warnings.last?.contains("another model family") == true)
        _ = try await load([])
        #expect(installation.warnings.last?.contains("holds no tensors") == true)
        _ = try await load(["lora_te.a"], clip: 0)
        #expect(installation.warnings.last?.contains("a part that is not changed") == true)
    }

    @Test func loraForTheModelOnly() async throws {
        try installation.add(model: "loras", "l.safetensors", safetensorsFile(keys: ["net.a", "lora_te.b", "x"]))
        let changed: DiffusionModel = try await call(
            "LoraLoaderModelOnly", ["model": model, "lora_name": "l.safetensors", "strength_model": 0.25], context)
        #expect((changed.network as? StubNetwork)?.strength == 0.25)
        #expect(installation.warnings.count == 1)
        #expect(installation.warnings.first?.contains("1 of 3 keys") == true)
    }
}
