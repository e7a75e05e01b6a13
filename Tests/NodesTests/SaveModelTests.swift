import Checkpoints
import Diffusion
import Foundation
import JSON
import ModelMaker
import Models
import NodeKit
import Tensors
import Testing

@testable import CoreNodes

/// Saved models load again with the same weights, whole or in parts.
struct SaveModelTests {
    private let context: NodeContext
    private let installation: TestInstallation
    private let manifests: [String: JSON]

    init() throws {
        installation = try TestInstallation()
        context = installation.context(
            prompt: .object(["1": .object(["class_type": .string("CheckpointSave")])]),
            extraPNGInfo: ["workflow": .object(["nodes": .array([])])])
        let vocabularies = DemoTokenizers()
        try vocabularies.write(to: installation.root + "/models/tokenizers")
        let all = DemoManifests.all(clipTokens: vocabularies.clipSize, t5Tokens: vocabularies.t5Size + 28)
        manifests = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0.manifest) })
    }

    private func make(_ path: String) throws -> String {
        let target = "\(installation.root)/models/\(path).safetensors"
        try FileManager.default.createDirectory(
            at: URL(filePath: target).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Manifest(parsing: try #require(manifests[path])).write(to: target)
        return URL(filePath: target).lastPathComponent
    }

    private func model() async throws -> DiffusionModel {
        try await call(
            "UNETLoader", ["unet_name": try make("diffusion_models/flux1-dev"), "weight_dtype": "default"], context)
    }

    private func clip() async throws -> TextEncoderValue {
        try await call(
            "DualCLIPLoader",
            [
                "clip_name1": try make("text_encoders/clip_l"), "clip_name2": try make("text_encoders/t5xxl_fp16"),
                "type": "flux", "device": "default",
            ], context)
    }

    private func vae() async throws -> AutoencoderValue {
        try await call("VAELoader", ["vae_name": try make("vae/ae")], context)
    }

    /// Runs a saving node and moves its only new file into a model folder.
    private func save(_ node: String, _ inputs: [String: any NodeValue], to folder: String) async throws -> String {
        try await run(node, inputs)
        let files = try output()
        let file = try #require(files.first)
        #expect(files.count == 1)
        let target = "\(installation.root)/models/\(folder)"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let name = URL(filePath: file).lastPathComponent
        try FileManager.default.moveItem(
            atPath: "\(installation.root)/output/\(file)", toPath: "\(target)/saved-\(name)")
        return "saved-\(name)"
    }

    private func run(_ node: String, _ inputs: [String: any NodeValue]) async throws {
        _ = try await definition(node).run(inputs.mapValues { [$0] }, context)
    }

    /// Files below the output folder.
    private func output() throws -> [String] {
        let root = "\(installation.root)/output"
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".tmp") }.sorted()
    }

    private func velocity(_ model: DiffusionModel) throws -> [Float] {
        let network = try #require(model.network as? FluxNetwork)
        var entry = ConditioningEntry(context: try Tensor.full([1, 4, network.contextWidth], 0.3))
        entry[PooledOutput.self] = try Tensor.full([1, network.pooledWidth], 0.1)
        let x = try Tensor((0..<16 * 16).map { Float($0 % 7) / 7 }, shape: [1, 16, 4, 4])
        let geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: model.sampling)
        let output = try network(
            NetworkCall(x: x, sigma: 0.5, time: 0.5, entry: entry, geometry: geometry), on: context.backend)
        return try output.floats()
    }

    @Test func checkpointLoadsAgain() async throws {
        let (model, clip, vae) = (try await model(), try await clip(), try await vae())
        let name = try await save(
            "CheckpointSave",
            ["model": model, "clip": clip, "vae": vae, "filename_prefix": "checkpoints/made"], to: "checkpoints")
        #expect(name == "saved-made_00001_.safetensors")
        let file = try CheckpointFile(path: "\(installation.root)/models/checkpoints/\(name)")
        #expect(file.metadata["prompt"] == #"{"1": {"class_type": "CheckpointSave"}}"#)
        #expect(file.metadata["workflow"] == #"{"nodes": []}"#)
        #expect(file.metadata["modelspec.sai_model_spec"] == "1.0.0")

        let outputs = try await definition("CheckpointLoaderSimple").run(["ckpt_name": [name]], context)
        #expect(installation.warnings.isEmpty, "\(installation.warnings)")
        let again = try #require(outputs[0][0] as? DiffusionModel)
        #expect(try velocity(again) == velocity(model))
        let prompt = PromptText("a house by the sea")
        let encoder = try #require(outputs[1][0] as? TextEncoderValue).encoder
        let wanted = try clip.encoder.encode(prompt, on: context.backend, warn: { _ in })
        let found = try encoder.encode(prompt, on: context.backend, warn: { _ in })
        #expect(try found.context.floats() == wanted.context.floats())
        let decoder = try #require(outputs[2][0] as? AutoencoderValue).autoencoder
        let latent = try Tensor.full([1, 16, 2, 2], 0.2)
        #expect(
            try decoder.decode(latent, on: context.backend).floats()
                == vae.autoencoder.decode(latent, on: context.backend).floats())
    }

    /// A model with a LoRA is saved as it runs, up to the rounding to the file's type.
    @Test func patchedNetworkLoadsAgain() async throws {
        let changed: DiffusionModel = try await call(
            "LoraLoaderModelOnly",
            ["model": try await model(), "lora_name": try make("loras/FLUX.1-Turbo-Alpha"), "strength_model": 1.0],
            context)
        let name = try await save("ModelSave", ["model": changed, "filename_prefix": "x"], to: "diffusion_models")
        let again: DiffusionModel = try await call(
            "UNETLoader", ["unet_name": name, "weight_dtype": "default"], context)
        let (found, wanted) = (try velocity(again), try velocity(changed))
        let plain = try velocity(await model())
        func distance(_ a: [Float], _ b: [Float]) -> Float {
            (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
        }
        #expect(distance(found, wanted) < 0.02 && distance(plain, wanted) > 2 * distance(found, wanted))
    }

    @Test func encodersAndVAEOfTheirOwn() async throws {
        let (clip, vae) = (try await clip(), try await vae())
        try await run("CLIPSave", ["clip": clip, "filename_prefix": "clip/parts"])
        #expect(try output() == ["clip/parts_clip_l_00001_.safetensors", "clip/parts_t5xxl_00001_.safetensors"])
        for (saved, original) in [("clip_l", "clip_l"), ("t5xxl", "t5xxl_fp16")] {
            let file = try CheckpointFile(path: "\(installation.root)/output/clip/parts_\(saved)_00001_.safetensors")
            let source = try CheckpointFile(path: "\(installation.root)/models/text_encoders/\(original).safetensors")
            #expect(Set(file.keys) == Set(source.keys))
            for key in file.keys {
                #expect(file.stored(key)?.type == source.stored(key)?.type)
                let (a, b) = (try #require(try file.tensor(key)), try #require(try source.tensor(key)))
                #expect(try a.withBytes { Array($0) } == b.withBytes { Array($0) }, "\(key)")
            }
        }
        try await run("VAESave", ["vae": vae, "filename_prefix": "vae/own"])
        let file = try CheckpointFile(path: "\(installation.root)/output/vae/own_00001_.safetensors")
        #expect(file.contains("decoder.conv_in.weight"))
        #expect(file.metadata["workflow"] != nil)
    }

    /// Cancelled half-way, nothing is left behind.
    @Test func cancelledSavingLeavesNothing() async throws {
        let model = try await model()
        installation.cancel(after: 3)
        await #expect(throws: CancellationError.self) {
            try await run("ModelSave", ["model": model, "filename_prefix": "half"])
        }
        #expect(try output() == [])
    }

    @Test func prefixesStayInTheFolder() async throws {
        let model = try await model()
        await #expect(throws: (any Error).self) {
            try await run("ModelSave", ["model": model, "filename_prefix": "../outside"])
        }
    }

    @Test func missingPartsAreNamed() async throws {
        let (model, clip) = (try await model(), try await clip())
        let error = await #expect(throws: (any Error).self) {
            try await run(
                "CheckpointSave",
                [
                    "model": model, "clip": clip, "vae": AutoencoderValue(MissingAutoencoder(file: "x.safetensors")),
                    "filename_prefix": "y",
                ])
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("no VAE"))
    }
}
