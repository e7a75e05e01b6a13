import Diffusion
import NodeKit
import Tensors
import Testing

struct BatchNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    /// A batch whose items hold their numbers.
    private func numbered(_ numbers: [Float], height: Int = 2, width: Int = 2) throws -> Tensor {
        try Tensor.build([numbers.count, height, width, 3], of: Float.self) { out in
            for i in out.indices { out[i] = numbers[i / (height * width * 3)] }
        }
    }

    private func numbers(_ batch: Image) throws -> [Float] {
        try (0..<batch.batch).map { try batch.tensor.slice(axis: 0, $0..<$0 + 1).floats()[0] }
    }

    private func latent(_ numbers: [Float], channels: Int = 4, side: Int = 2) throws -> Latent {
        Latent(
            samples: try Tensor.build([numbers.count, channels, side, side], of: Float.self) { out in
                for i in out.indices { out[i] = numbers[i / (channels * side * side)] }
            })
    }

    @Test(arguments: [(0, 1, [0]), (1, 9, [1, 2]), (7, 1, [2]), (-3, 2, [0, 1])] as [(Int, Int, [Float])])
    func someOfABatch(start: Int, length: Int, wanted: [Float]) async throws {
        let images = Image(try numbered([0, 1, 2]))
        let part: Image = try await call(
            "ImageFromBatch", ["image": images, "batch_index": start, "length": length], context)
        #expect(try numbers(part) == wanted)
    }

    @Test func batchesAreRepeatedAsAWhole() async throws {
        let repeated: Image = try await call(
            "RepeatImageBatch", ["image": Image(try numbered([1, 2])), "amount": 3], context)
        #expect(try numbers(repeated) == [1, 2, 1, 2, 1, 2])
    }

    @Test func imagesAreRebatched() async throws {
        let batches = [Image(try numbered([1, 2, 3])), Image(try numbered([4, 5]))]
        let results = try await definition("RebatchImages").run(
            ["images": batches, "batch_size": [2]], context)
        #expect(try results[0].map { try numbers(#require($0 as? Image)) } == [[1, 2], [3, 4], [5]])
        let message = await failure {
            _ = try await definition("RebatchImages").run(
                ["images": batches + [Image(try numbered([6], height: 3))], "batch_size": [2]], context)
        }
        #expect(message.contains("one size"))
    }

    /// A smaller latent does not fit the open batch; places count on over the latents.
    @Test func latentsAreRebatched() async throws {
        var masked = try latent([7])
        masked.noiseMask = try Tensor.full([1, 8, 8], 0.5)
        let results = try await definition("RebatchLatents").run(
            ["latents": [try latent([1, 2, 3]), try latent([4], side: 1), masked], "batch_size": [2]], context)
        let batches = try results[0].map { try #require($0 as? Latent) }
        #expect(
            batches.map(\.samples.shape) == [[2, 4, 2, 2], [1, 4, 2, 2], [1, 4, 1, 1], [1, 4, 2, 2]])
        #expect(batches.map(\.batchIndices) == [[0, 1], [2], [3], [4]])
        #expect(batches.map { $0.noiseMask == nil } == [true, true, true, false])
        #expect(batches[3].noiseMask?.shape == [1, 1, 16, 16])
    }

    /// A latent cut out and repeated: the items keep and get places, masks go with them.
    @Test func latentsFromBatch() async throws {
        var source = try latent([1, 2, 3])
        source.noiseMask = try Tensor([0, 1], shape: [2, 1, 1])
        let part: Latent = try await call(
            "LatentFromBatch", ["samples": source, "batch_index": 1, "length": 2], context)
        #expect(part.batchIndices == [1, 2])
        #expect(try part.noiseMask?.floats() == [1, 0])
        let repeated: Latent = try await call("RepeatLatentBatch", ["samples": part, "amount": 2], context)
        #expect(repeated.batchIndices == [1, 2, 3, 4])
        #expect(try repeated.noiseMask?.floats() == [1, 0, 1, 0])
        let fixed: Latent = try await call(
            "LatentBatchSeedBehavior", ["samples": repeated, "seed_behavior": "fixed"], context)
        #expect(fixed.batchIndices == [1, 1, 1, 1])
        let random: Latent = try await call(
            "LatentBatchSeedBehavior", ["samples": fixed, "seed_behavior": "random"], context)
        #expect(random.batchIndices == nil)
    }

    @Test func sizes() async throws {
        let results = try await call(
            "GetImageSize", ["image": Image(try numbered([1, 2], height: 3, width: 5))], context)
        #expect(results.map { $0[0] as? Int } == [5, 3, 2])
        for (longest, wanted) in [(10, [6, 10, 3]), (0, nil)] as [(Int, [Int]?)] {
            let message = await failure {
                let scaled: Image = try await call(
                    "ImageScaleToMaxDimension",
                    [
                        "image": Image(try numbered([1], height: 3, width: 5)), "upscale_method": "area",
                        "largest_size": longest,
                    ], context)
                #expect(Array(scaled.tensor.shape.array.dropFirst()) == wanted)
            }
            #expect(message.isEmpty == (wanted != nil))
        }
        // 1.5 lies between 1392/752 = 1.85, 1248/832 = 1.5 and 1184/880 = 1.35.
        let kontext: Image = try await call(
            "FluxKontextImageScale", ["image": Image(try numbered([0.5], height: 20, width: 30))], context)
        #expect(kontext.tensor.shape == [1, 832, 1248, 3])
    }
}
