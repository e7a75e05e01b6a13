import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

/// Image models against numpy implementations of their own on miniatures (`Files/vision/make_….py`).
enum VisionFiles {
    static func path(_ name: String) -> String {
        Bundle.module.bundleURL.appendingPathComponent("Files/vision/\(name).safetensors").path
    }

    static func tensor(_ file: String, _ key: String) throws -> Tensor {
        try #require(try CheckpointFile(path: path(file)).tensor(key)).asFloat32()
    }

    static let backend = CPUBackend(precision: .float32, threads: 2)

    /// 10 log₁₀(1 / mean squared difference).
    static func peakSignalToNoise(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (x, y) = (try a.floats(), try b.floats())
        let sum = zip(x, y).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return -10 * log10(max(sum / Double(x.count), 1e-20))
    }

    /// A safetensors file of float32 zeros with these keys.
    static func file(of shapes: [String: [Int]]) throws -> String {
        var header: [String: Any] = [:]
        var end = 0
        for (key, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            let bytes = shape.reduce(4, *)
            header[key] = ["dtype": "F32", "shape": shape, "data_offsets": [end, end + bytes]]
            end += bytes
        }
        let text = try JSONSerialization.data(withJSONObject: header)
        var data = Data()
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
        data += text + Data(count: end)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graphrun-vision-tests")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let url = folder.appendingPathComponent(UUID().uuidString + ".safetensors")
        try data.write(to: url)
        return url.path
    }
}

struct UpscalingTests {
    static let models = [
        ("esrgan-x4-old", 4), ("esrgan-plus-x8-old", 8), ("bsrgan-x1", 1), ("realesrgan-x2", 2), ("realesrgan-x1", 1),
        ("compact-x3", 3),
    ]

    private func model(_ name: String) throws -> UpscaleModel {
        try ModelLoader.upscaleModel(path: VisionFiles.path(name), warn: { Issue.record("\($0)") })
    }

    @Test(arguments: models) func networkEqualsNumpy(_ name: String, _ scale: Int) throws {
        let model = try model(name)
        #expect(model.scale == scale)
        let picture = try VisionFiles.tensor("upscaling-expected", "small")
        let expected = try VisionFiles.tensor("upscaling-expected", name)
        var steps = 0
        let actual = try model.network(picture, on: VisionFiles.backend) { steps += 1 }
        #expect(steps == model.network.steps)
        #expect(actual.shape == expected.shape)
        #expect(try relativeError(actual, expected) < 1e-5)
        let reference = try model.network(picture, on: ReferenceBackend()) {}
        #expect(try relativeError(reference, expected) < 1e-5)
    }

    /// What the node gives is clamped, and of the picture's size times the scale.
    @Test(arguments: models) func enlargedPicturesAreClamped(_ name: String, _ scale: Int) throws {
        let model = try model(name)
        let picture = try VisionFiles.tensor("upscaling-expected", "small")
        let expected = try HostMath.map(VisionFiles.tensor("upscaling-expected", name)) { min(max($0, 0), 1) }
        let actual = try model.enlarge(picture, on: VisionFiles.backend) { _, _ in }
        #expect(try relativeError(actual, expected) < 1e-5)
    }

    /// A batch of pictures larger than a tile, whose sides are no multiples of it.
    @Test func tilesFadeIntoEachOther() throws {
        let model = try model("realesrgan-x2")
        let pictures = try VisionFiles.tensor("upscaling-expected", "large")
        let expected = try VisionFiles.tensor("upscaling-expected", "tiled")
        var reports: [(Int, Int)] = []
        let actual = try model.enlarge(pictures, on: VisionFiles.backend, tile: 16, overlap: 4) {
            reports.append(($0, $1))
        }
        #expect(actual.shape == expected.shape)
        #expect(try relativeError(actual, expected) < 1e-5)
        #expect(reports.map(\.0) == Array(1...reports.count) && reports.allSatisfy { $0.1 == reports.count })
    }

    /// With little memory tiles are smaller, down to 128.
    @Test func tilesFitTheMemory() throws {
        let model = try model("realesrgan-x2")
        let picture = try Tensor.full([1, 300, 20, 3], 0.5)
        func tiles(_ memory: Int?) throws -> Int {
            var total = 0
            _ = try model.enlarge(picture, on: VisionFiles.backend, memory: memory) { total = $1 }
            return total / model.network.steps
        }
        #expect(try tiles(nil) == 1 && tiles(1 << 40) == 1)
        #expect(try tiles(1) == 3)
        #expect(try tiles(256 * 256 * model.network.bytesPerPixel + 40 * 4 * picture.count) == 2)
    }

    /// Rows of the last layers are computed in bands; their seams must not show.
    @Test func bandsHaveNoSeams() throws {
        let model = try model("esrgan-x4-old")
        let tall = try Tensor.build([1, 150, 3, 3], of: Float.self) { out in
            for i in out.indices { out[i] = Float((i * 7919) % 101) / 101 }
        }
        let all = try model.network(tall, on: VisionFiles.backend) {}
        let reference = try model.network(tall.slice(axis: 1, 40..<100).asFloat32(), on: VisionFiles.backend) {}
        // The network sees 30 rows up and down at most: two groups of three blocks of five convolutions, and the rest.
        let part = try all.slice(axis: 1, 4 * 75..<4 * 80).asFloat32()
        let same = try reference.slice(axis: 1, 4 * 35..<4 * 40).asFloat32()
        #expect(part.shape == same.shape)
        #expect(try VisionFiles.peakSignalToNoise(part, same) > 60)
    }

    @Test func cancellationEndsTheWork() throws {
        let model = try model("esrgan-x4-old")
        let picture = try VisionFiles.tensor("upscaling-expected", "small")
        #expect(throws: CancellationError.self) {
            _ = try model.enlarge(picture, on: VisionFiles.backend) { done, _ in
                if done == 2 { throw CancellationError() }
            }
        }
    }

    @Test(arguments: models.map(\.0)) func bfloat16ComesNear(_ name: String) throws {
        let model = try model(name)
        let picture = try VisionFiles.tensor("upscaling-expected", "small")
        let exact = try model.enlarge(picture, on: VisionFiles.backend) { _, _ in }
        let rounded = try model.enlarge(picture, on: CPUBackend(precision: .bfloat16, threads: 2)) { _, _ in }
        #expect(try VisionFiles.peakSignalToNoise(exact, rounded) > 35)
    }

    @Test(arguments: [
        (["layers.0.residual_group.blocks.0.attn.relative_position_index": [4, 4]], "SwinIR"),
        (["params.before_RG.1.weight": [4]], "DAT"), (["feats.1.lk.conv.weight": [1, 1, 3, 3]], "PLKSR"),
        (["decoder.conv_in.weight": [1, 1, 3, 3]], "a VAE"), (["x": [1]], "belong to nothing known"),
    ]) func otherArchitecturesAreNamed(_ shapes: [String: [Int]], _ name: String) throws {
        let path = try VisionFiles.file(of: shapes)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: CheckpointError.self) { _ = try ModelLoader.upscaleModel(path: path) { _ in } }
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains("supported are ESRGAN") == true)
    }

    @Test(arguments: [
        // Layers of other sizes than the first one promises, grey pictures, an even number of layers.
        ["body.0.weight": [4, 3, 3, 3], "body.0.bias": [4], "body.1.weight": [5], "body.2.weight": [12, 4, 3, 3]],
        ["body.0.weight": [4, 1, 3, 3], "body.0.bias": [4], "body.1.weight": [4], "body.2.weight": [4, 4, 3, 3]],
        ["body.0.weight": [4, 3, 3, 3], "body.1.weight": [4], "body.2.weight": [4, 4, 3, 3], "body.3.weight": [4]],
        ["conv_first.weight": [4, 3, 3, 3], "body.0.rdb1.conv1.weight": [2, 4, 3, 3]],
        ["model.0.weight": [4, 3, 3, 3], "model.1.sub.0.RDB1.conv1.0.weight": [2, 4, 3, 3]],
        ["conv_first.weight": [4, 3], "body.0.rdb1.conv1.weight": [2, 4, 3, 3], "conv_last.weight": [3, 4, 3, 3]],
    ]) func damagedModelsAreRefused(_ shapes: [String: [Int]]) throws {
        let path = try VisionFiles.file(of: shapes)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: CheckpointError.self) { _ = try ModelLoader.upscaleModel(path: path) { _ in } }
    }
}

struct TinyAutoencoderTests {
    private func autoencoder(_ name: String) throws -> TinyAutoencoder {
        try ModelLoader.tinyAutoencoder(
            #require(LatentSpace.ofTinyAutoencoder(name)), encoder: VisionFiles.path(name + "_encoder"),
            decoder: VisionFiles.path(name + "_decoder"), warn: { Issue.record("\($0)") })
    }

    @Test(arguments: ["taesd", "taef1"]) func equalsNumpy(_ name: String) throws {
        let tiny = try autoencoder(name)
        func expected(_ key: String) throws -> Tensor { try VisionFiles.tensor("tiny-expected", key) }
        let encoded = try tiny.encode(expected("picture"), on: VisionFiles.backend)
        #expect(try relativeError(encoded, expected(name + ".encoded")) < 1e-5)
        let decoded = try tiny.decode(expected(name + ".latent"), on: VisionFiles.backend)
        #expect(try relativeError(decoded, expected(name + ".decoded")) < 1e-5)
    }

    @Test func filesOfAnotherFamilyAreRefused() throws {
        let space = try #require(LatentSpace.ofTinyAutoencoder("taesd3"))
        let error = #expect(throws: CheckpointError.self) {
            _ = try ModelLoader.tinyAutoencoder(
                space, encoder: nil, decoder: VisionFiles.path("taesd_decoder"), warn: { _ in })
        }
        #expect(error?.message.contains("expected [4, 16, 3, 3]") == true)
        #expect(throws: CheckpointError.self) {
            _ = try ModelLoader.tinyAutoencoder(
                space, encoder: nil, decoder: VisionFiles.path("clip-vision"), warn: { _ in })
        }
    }

    @Test func previewsFitTheirSize() throws {
        let tiny = try autoencoder("taesd")
        let space = try #require(LatentSpace.ofTinyAutoencoder("taesd"))
        let latent = try VisionFiles.tensor("tiny-expected", "taesd.latent")
        for decoder in [nil, tiny] {
            let preview = LatentPreview(space, decoder: decoder, size: 48)
            #expect(try preview(space.format.toModel(latent), on: VisionFiles.backend).shape == [1, 48, 32, 3])
        }
        // Of the decoder's own size, so nothing is resized.
        let same = try LatentPreview(space, decoder: tiny, size: 24)(
            space.format.toModel(latent), on: VisionFiles.backend)
        #expect(try relativeError(same, VisionFiles.tensor("tiny-expected", "taesd.decoded")) < 1e-5)
    }

    /// One channel at a time: half of its colours above a middle grey.
    @Test(arguments: LatentSpace.all.map(\.tinyAutoencoder)) func coloursAreMixedLinearly(_ name: String) throws {
        let space = try #require(LatentSpace.ofTinyAutoencoder(name))
        let channels = space.format.channels
        #expect(space.colours.count == channels && space.colours.allSatisfy { $0.count == 3 })
        for channel in 0..<channels {
            let latent = try Tensor.build([1, channels, 1, 1], of: Float.self) { out in
                for i in out.indices { out[i] = i == channel ? 1 : 0 }
            }
            let preview = try LatentPreview(space, decoder: nil, size: 1)(latent, on: VisionFiles.backend)
            let expected = space.colours[channel].map { min(max(($0 + 1) / 2, 0), 1) }
            #expect(try zip(preview.floats(), expected).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }
}

struct CLIPVisionTests {
    private func model(
        _ name: String, adjust: (inout CLIPVisionConfiguration) -> Void = { _ in }
    ) throws -> CLIPVisionModel {
        let model = try CLIPVisionModel(
            WeightSource(CheckpointFile(path: VisionFiles.path(name))), adjust: adjust)
        #expect(model.unusedKeys.isEmpty)
        return model
    }

    private func check(_ model: CLIPVisionModel, _ name: String) throws {
        let pictures = try VisionFiles.tensor("encoders-expected", "pictures")
        for (crop, crops) in [("center", true), ("none", false)] {
            func expected(_ key: String) throws -> Tensor {
                try VisionFiles.tensor("encoders-expected", "\(name).\(crop).\(key)")
            }
            let output = try model.encode(pictures, crops: crops, on: VisionFiles.backend)
            #expect(try relativeError(output.lastHiddenState, expected("last")) < 1e-5)
            #expect(try relativeError(output.penultimateHiddenState, expected("penultimate")) < 1e-5)
            if let embeds = output.imageEmbeds {
                #expect(try relativeError(embeds, expected("embeds")) < 1e-5)
            } else {
                #expect(name == "siglip")
            }
        }
    }

    @Test func transformersLayout() throws { try check(model("clip-vision"), "clip") }

    @Test func openCLIPLayout() throws {
        try check(model("open-clip-vision") { $0.activation = .gelu }, "open-clip")
    }

    @Test func siglip() throws { try check(model("siglip-vision") { $0.imageSize = 7 }, "siglip") }

    /// What tells the released encoders apart (families-flux.md §11).
    @Test func releasedSizes() throws {
        func configuration(_ width: Int, _ patch: Int, positions: Int, isCLIP: Bool = true) throws
            -> CLIPVisionConfiguration
        {
            var pieces: [String: [WeightPiece]] = [:]
            func add(_ key: String, _ shape: Shape) throws {
                let tensor = try Tensor.zeros([1]).broadcast(to: shape)
                pieces[key] = [WeightPiece(rows: 0..<shape[0], tensor: tensor, fileKey: key)]
            }
            try add("vision_model.embeddings.patch_embedding.weight", [width, 3, patch, patch])
            try add("vision_model.embeddings.position_embedding.weight", [positions, width])
            if isCLIP { try add("vision_model.embeddings.class_embedding", [width]) }
            for layer in 0..<2 { try add("vision_model.encoder.layers.\(layer).layer_norm1.weight", [width]) }
            return try CLIPVisionConfiguration(WeightSource(name: "test", pieces: pieces))
        }
        let large = try configuration(1024, 14, positions: 257)
        #expect(large.imageSize == 224 && large.heads == 16 && large.activation == .quickGelu)
        #expect(try configuration(1024, 14, positions: 577).imageSize == 336)
        let huge = try configuration(1280, 14, positions: 257)
        #expect(huge.imageSize == 224 && huge.heads == 16 && huge.activation == .gelu)
        #expect(try configuration(1664, 14, positions: 257).activation == .gelu)
        let siglip = try configuration(1152, 14, positions: 729, isCLIP: false)
        #expect(
            siglip.imageSize == 384 && siglip.heads == 16 && siglip.activation == .geluTanh && siglip.mean[0] == 0.5)
        #expect(throws: CheckpointError.self) { try configuration(1024, 14, positions: 250) }
    }

    @Test func otherFilesAreNamed() throws {
        let error = #expect(throws: CheckpointError.self) {
            _ = try ModelLoader.imageEncoder(path: VisionFiles.path("taesd_encoder"), warn: { _ in })
        }
        #expect(error?.message.contains("ViT-H/14") == true)
    }
}
