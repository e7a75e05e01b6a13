import Diffusion
import Foundation
import Images
import JSON
import NodeKit
import Synchronization
import Tensors
import Testing

/// A VAE that keeps what it is given: every pixel of the red channel becomes a cell, 8 × 8 pixels make 64 channels.
private struct KeepingAutoencoder: Autoencoder {
    var family: String { "keeping VAE" }
    var latentChannels: Int { 64 }
    var downscale: Int { 8 }
    func encode(_ image: Tensor, on backend: any Backend) throws -> Tensor {
        try image.slice(axis: 3, 0..<1).asFloat32().reshaped([image.shape[0], 1, image.shape[1], image.shape[2]])
    }
    func decode(_ latent: Tensor, on backend: any Backend) throws -> Tensor { latent }
}

struct InpaintNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    private let vae = AutoencoderValue(KeepingAutoencoder())
    /// 10 × 17 pixels of 0.25; the crop to multiples of 8 leaves rows 1…8 and all but the last column.
    private func picture() throws -> Image { Image(try Tensor.full([1, 10, 17, 3], 0.25)) }
    /// Painted where x ≥ 8, half covered at x = 7.
    private func mask() throws -> Mask {
        Mask(
            try Tensor.build([1, 10, 17], of: Float.self) { out in
                for i in out.indices { out[i] = i % 17 >= 8 ? 1 : i % 17 == 7 ? 0.5 : 0 }
            })
    }

    @Test(arguments: [(0, 8), (1, 8), (2, 8), (3, 7), (6, 6)])
    func encodeForInpaint(grow: Int, firstPainted: Int) async throws {
        let latent: Latent = try await call(
            "VAEEncodeForInpaint",
            ["pixels": try picture(), "vae": vae, "mask": try mask(), "grow_mask_by": grow], context)
        #expect(latent.samples.shape == [1, 1, 8, 16])
        // 0.5 rounds to 0: the half covered pixel stays.
        let row = try latent.samples.floats().prefix(16)
        #expect(Array(row) == [Float](repeating: 0.25, count: 8) + [Float](repeating: 0.5, count: 8))
        let grown = try #require(latent.noiseMask)
        #expect(grown.shape == [1, 1, 8, 16])
        #expect(try grown.floats().prefix(16).firstIndex(of: 1) == firstPainted)
    }

    @Test func inpaintModelConditioning() async throws {
        let text = ConditioningValue([ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))])
        for withMask in [true, false] {
            let results = try await call(
                "InpaintModelConditioning",
                [
                    "positive": text, "negative": text, "vae": vae, "pixels": try picture(), "mask": try mask(),
                    "noise_mask": withMask,
                ], context)
            for slot in 0..<2 {
                let entry = try #require((results[slot].first as? ConditioningValue)?.entries.first)
                #expect(try entry[ConcatLatent.self]?.floats().suffix(1) == [0.5])
                #expect(try entry[ConcatMask.self]?.floats().prefix(9).suffix(3) == [0, 0.5, 1])
                #expect(entry.exportedProperties.map(\.name) == ["concat_latent_image", "concat_mask"])
            }
            let latent = try #require(results[2].first as? Latent)
            #expect(try latent.samples.floats().allSatisfy { $0 == 0.25 })
            #expect((latent.noiseMask == nil) == !withMask)
        }
    }

    @Test func instructPixToPix() async throws {
        let text = ConditioningValue([ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))])
        let results = try await call(
            "InstructPixToPixConditioning", ["positive": text, "negative": text, "vae": vae, "pixels": try picture()],
            context)
        let entry = try #require((results[1].first as? ConditioningValue)?.entries.first)
        #expect(try entry[ConcatLatent.self]?.floats().allSatisfy { $0 == 0.25 } == true)
        let latent = try #require(results[2].first as? Latent)
        #expect(try HostMath.isZero(latent.samples) && latent.samples.shape == [1, 1, 10, 17])
    }

    @Test func latentsAreSavedAndLoaded() async throws {
        let latent = Latent(samples: try Tensor([1, -2.5, 3, .pi], shape: [1, 4, 1, 1]))
        let saving = installation.context(prompt: .object(["é": .int(1)]))
        _ = try await call("SaveLatent", ["samples": latent, "filename_prefix": "latents/a"], saving)
        #expect(
            installation.shown.last == [
                "latents": .array([
                    .object([
                        "filename": .string("a_00001_.latent"), "subfolder": .string("latents"),
                        "type": .string("output"),
                    ])
                ])
            ])
        let saved = "latents/a_00001_.latent [output]"
        let loaded: Latent = try await call("LoadLatent", ["latent": saved], context)
        #expect(try loaded.samples.floats() == latent.samples.floats())
        #expect(loaded.samples.shape == [1, 4, 1, 1])
        #expect(try await objection("LoadLatent", ["latent": saved], installation) == nil)
        #expect(try await objection("LoadLatent", ["latent": "b.latent"], installation)?.contains("b.latent") == true)
        let bytes = try Data(contentsOf: URL(filePath: "\(installation.root)/output/latents/a_00001_.latent"))
        #expect(String(decoding: bytes.prefix(200), as: UTF8.self).contains(#"{\"\\u00e9\": 1}"#))

        // Files from before there were versions, and files that hold something else.
        try safetensorsFile(keys: ["latent_tensor"]).write(to: URL(filePath: installation.root + "/input/old.latent"))
        let old: Latent = try await call("LoadLatent", ["latent": "old.latent"], context)
        #expect(try old.samples.floats() == [0])
        try safetensorsFile(keys: ["x"]).write(to: URL(filePath: installation.root + "/input/no.latent"))
        let message = await failure { _ = try await call("LoadLatent", ["latent": "no.latent"], context) }
        #expect(message.contains("latent_tensor"))
    }

    @Test func masksArePreviewed() async throws {
        _ = try await call("MaskPreview", ["mask": try mask()], context)
        let name = try #require(installation.shown.last?["images"]?[0]?["filename"]?.stringValue)
        let file = try ImageFile(path: installation.temporaryFolder + "/" + name).picture()
        #expect(file.image.shape == [1, 10, 17, 3])
        let grey: Float = 127 / 255
        let expected: [Float] = [grey, grey, grey, 1, 1, 1]
        #expect(try Array(file.image.floats().prefix(27).suffix(6)) == expected)
    }

    /// With the annotation of front ends, and without.
    @Test(arguments: ["a_00001_.png [output]", "a_00001_.png"]) func picturesOfTheOutputFolder(name: String)
        async throws
    {
        _ = try await call("SaveImage", ["images": try picture(), "filename_prefix": "a"], context)
        let loaded: Image = try await call("LoadImageOutput", ["image": name], context)
        #expect(loaded.tensor.shape == [1, 10, 17, 3])
        let message = await failure { _ = try await call("LoadImageOutput", ["image": "b.png"], context) }
        #expect(message.contains("b.png"))
    }
}
