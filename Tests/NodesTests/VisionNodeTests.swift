import Diffusion
import Foundation
import Models
import NodeKit
import Sampling
import Tensors
import Testing

/// Nodes of upscale models, tiny autoencoders, image encoders and previews.
struct VisionNodeTests {
    private let installation: TestInstallation
    init() throws { installation = try TestInstallation() }

    /// A safetensors file of float32 zeros.
    private func file(_ shapes: [String: [Int]]) throws -> Data {
        var header: [String: Any] = [:]
        var end = 0
        for (key, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            let bytes = shape.reduce(4, *)
            header[key] = ["dtype": "F32", "shape": shape, "data_offsets": [end, end + bytes]]
            end += bytes
        }
        let text = try JSONSerialization.data(withJSONObject: header)
        var length = UInt64(text.count).littleEndian
        return Data(bytes: &length, count: 8) + text + Data(count: end)
    }

    /// A compact network of zeros adds nothing to the enlarged picture.
    @Test func picturesAreEnlarged() async throws {
        let layers = [
            "body.0.weight": [4, 3, 3, 3], "body.0.bias": [4], "body.1.weight": [4], "body.2.weight": [12, 4, 3, 3],
            "body.2.bias": [12],
        ]
        try installation.add(model: "upscale_models", "double.safetensors", file(layers))
        let context = installation.context()
        let model: UpscaleModel = try await call(
            "UpscaleModelLoader", ["model_name": "double.safetensors"], context)
        #expect(model.scale == 2)
        let picture = try Tensor((0..<24).map { Float($0) / 30 }, shape: [2, 2, 2, 3])
        let enlarged: Image = try await call(
            "ImageUpscaleWithModel", ["upscale_model": model, "image": Image(picture)], context)
        #expect(enlarged.tensor.shape == [2, 4, 4, 3])
        let (small, large) = (try picture.floats(), try enlarged.tensor.floats())
        for index in large.indices {
            let (item, y, x, c) = (index / 48, index / 12 % 4, index / 3 % 4, index % 3)
            #expect(large[index] == small[((item * 2 + y / 2) * 2 + x / 2) * 3 + c])
        }
        #expect(installation.progress == ["1/4", "2/4", "3/4", "4/4"])
        installation.cancel(after: 5)
        await #expect(throws: CancellationError.self) {
            try await call("ImageUpscaleWithModel", ["upscale_model": model, "image": Image(picture)], context)
        }
    }

    @Test func otherUpscaleModelsAreNamed() async throws {
        try installation.add(
            model: "upscale_models", "swin.safetensors",
            file(["layers.0.residual_group.blocks.0.attn.relative_position_index": [4, 4]]))
        let message = await failure {
            _ = try await call("UpscaleModelLoader", ["model_name": "swin.safetensors"], installation.context())
        }
        #expect(message.contains("SwinIR"))
    }

    // MARK: Previews

    private func sample(_ context: NodeContext) async throws {
        var network = StubNetwork(strength: 0.5)
        network.latentFormat = LatentFormat(channels: 16, scale: 0.3611, shift: 0.1159)
        let conditioning = ConditioningValue([ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))])
        let inputs: [String: any NodeValue] = [
            "model": DiffusionModel(network: network), "seed": UInt64(7), "steps": 4, "cfg": 1.0,
            "sampler_name": "euler", "scheduler": "simple", "positive": conditioning, "negative": conditioning,
            "latent_image": Latent(samples: try Tensor.zeros([1, 16, 2, 3])), "denoise": 1.0,
        ]
        let _: Latent = try await call("KSampler", inputs, context)
    }

    @Test func samplersShowNothingUnlessAsked() async throws {
        try await sample(installation.context())
        #expect(installation.previews.isEmpty)
    }

    @Test(arguments: [PreviewOptions.Method.auto, .latent2rgb, .taesd]) func samplersShowTheirSteps(
        _ method: PreviewOptions.Method
    ) async throws {
        var context = installation.context()
        context.previews = PreviewOptions(method: method, size: 48)
        try await sample(context)
        let first = try #require(installation.previews.first)
        #expect(first.step == 1 && first.total == 4 && first.picture.shape == [1, 32, 48, 3])
        #expect(try first.picture.floats().allSatisfy { (0...1).contains($0) })
        // Without the decoder's file the other method is used, and said to be.
        #expect(installation.warnings.count == (method == .taesd ? 1 : 0))
    }

    // MARK: Tiny autoencoders

    @Test func tinyAutoencodersAreOfferedWhenBothHalvesAreThere() async throws {
        let set = try #require(FileSet.named("taesdxl", in: "vae"))
        let one = try file(["x": [1]])
        try installation.add(model: "vae_approx", "taesdxl_decoder.pth", one)
        #expect(set.fileNames(installation) == nil)
        let message = await failure {
            _ = try await call("VAELoader", ["vae_name": "taesdxl"], installation.context())
        }
        #expect(message.contains("taesdxl_encoder.safetensors") && message.contains("vae_approx"))
        try installation.add(model: "vae_approx", "taesdxl_encoder.safetensors", one)
        #expect(set.fileNames(installation) == ["taesdxl_encoder.safetensors", "taesdxl_decoder.pth"])
        #expect(FileSet.offered(in: "loras").isEmpty && FileSet.named("ae.safetensors", in: "vae") == nil)
    }

    // MARK: Image encoders

    private func seen(_ embeds: Tensor?) throws -> CLIPVisionOutput {
        CLIPVisionOutput(
            lastHiddenState: try Tensor.full([1, 2, 3], 1), penultimateHiddenState: try Tensor.full([1, 2, 3], 2),
            imageEmbeds: embeds)
    }

    @Test func picturesJoinAConditioning() async throws {
        let context = installation.context()
        let empty = ConditioningValue([ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))])
        let output = try seen(Tensor([1, 2], shape: [1, 2]))
        func join(_ conditioning: ConditioningValue, _ strength: Double) async throws -> ConditioningValue {
            try await call(
                "unCLIPConditioning",
                [
                    "conditioning": conditioning, "clip_vision_output": output, "strength": strength,
                    "noise_augmentation": 0.25,
                ], context)
        }
        #expect(try await join(empty, 0).entries[0][UnclipPictures.self] == nil)
        let twice = try await join(join(empty, 0.5), 2)
        let pictures = try #require(twice.entries[0][UnclipPictures.self])
        #expect(pictures.map(\.strength) == [0.5, 2] && pictures.map(\.noiseAugmentation) == [0.25, 0.25])
        // A conditioning with pictures can be kept on disk.
        let restored = twice.stored(corePackTypes).flatMap { ConditioningValue(stored: $0, corePackTypes) }
        #expect(restored?.entries[0][UnclipPictures.self]?.count == 2)

        let nothing = try seen(nil)
        let message = await failure {
            _ = try await call(
                "unCLIPConditioning",
                [
                    "conditioning": empty, "clip_vision_output": nothing, "strength": 1.0, "noise_augmentation": 0.0,
                ], context)
        }
        #expect(message.contains("SigLIP"))
    }

    @Test func outputsAreStored() throws {
        for embeds in [nil, try Tensor([1, 2], shape: [1, 2])] {
            let output = try seen(embeds)
            let content = try #require(output.stored(corePackTypes))
            let restored = try #require(CLIPVisionOutput(stored: content, corePackTypes))
            #expect(try restored.lastHiddenState.floats() == output.lastHiddenState.floats())
            #expect(try restored.penultimateHiddenState.floats() == output.penultimateHiddenState.floats())
            #expect(try restored.imageEmbeds?.floats() == embeds?.floats())
        }
        #expect(CLIPVisionOutput(stored: StoredContent(.null), corePackTypes) == nil)
    }

    @Test func filesWithoutAnImageEncoderAreNamed() async throws {
        try installation.add(model: "clip_vision", "text.safetensors", file(["text_model.x": [1]]))
        let message = await failure {
            _ = try await call("CLIPVisionLoader", ["clip_name": "text.safetensors"], installation.context())
        }
        #expect(message.contains("no image encoder") && message.contains("SigLIP"))
    }
}

private let corePackTypes = StorableTypes.standard.merging(allPacks[0].storable)
