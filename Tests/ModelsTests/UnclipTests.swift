import Checkpoints
import Diffusion
import Tensors
import TestSupport
import Testing

@testable import Models

/// Pictures as conditions of Stable unCLIP and SDXL (`Files/vision/make_augmentation.py`).
struct UnclipTests {
    private func tensor(_ key: String) throws -> Tensor { try VisionFiles.tensor("augmentation", key) }

    @Test func vectorsEqualNumpy() throws {
        var source = WeightSource(name: "test")
        source = try source.adding(NoiseAugmentor.markers[0], tensor("mean"))
            .adding(NoiseAugmentor.markers[1], tensor("deviation"))
        let augmentor = try NoiseAugmentor(source, width: 20, levelOfSums: 0.05)
        let embeds = try tensor("embeds")
        let first = SeenPictures(
            embeds: try embeds.slice(axis: 0, 0..<1), strength: 0.7, noiseAugmentation: 0.25)
        let rest = SeenPictures(
            embeds: try embeds.slice(axis: 0, 1..<3), strength: -1.5, noiseAugmentation: 0)
        let seed = UInt64(123_456_789_012) - 10
        #expect(try relativeError(augmentor.vector([first], seed: seed), tensor("one")) < 1e-4)
        #expect(try relativeError(augmentor.vector([first, rest], seed: seed), tensor("several")) < 1e-4)
        #expect(try augmentor.vector([], seed: seed).floats() == [Float](repeating: 0, count: 40))
    }

    @Test func encodersOfAnotherWidthAreNamed() throws {
        let augmentor = try NoiseAugmentor(WeightSource(name: "test"), width: 8, levelOfSums: 0)
        let seen = SeenPictures(embeds: try tensor("embeds"), strength: 1, noiseAugmentation: 0)
        let error = #expect(throws: CheckpointError.self) { _ = try augmentor.vector([seen], seed: 0) }
        #expect(error?.message.contains("8 numbers") == true)
        let mismatched = WeightSource(name: "test").adding(NoiseAugmentor.markers[0], try Tensor.zeros([7]))
        #expect(throws: CheckpointError.self) { _ = try NoiseAugmentor(mismatched, width: 8, levelOfSums: 0) }
    }

    @Test func picturesAreStored() throws {
        let seen = [
            SeenPictures(embeds: try tensor("embeds"), strength: 0.3, noiseAugmentation: 0.1),
            SeenPictures(embeds: try Tensor([1, 2], shape: [1, 2]), strength: -1, noiseAugmentation: 1),
        ]
        let content = try #require(UnclipPictures.stored(seen))
        let restored = try #require(UnclipPictures.restored(content))
        #expect(restored.map(\.strength) == [0.3, -1] && restored.map(\.noiseAugmentation) == [0.1, 1])
        #expect(try restored[0].embeds.floats() == tensor("embeds").floats())
        #expect(UnclipPictures.restored(StoredContent(.array([.null]))) == nil)
    }

    /// A UNet's encoder of the given widths; `depths` are the transformer blocks of each level.
    private func shape(label: Int?, depths: [Int]) throws -> UNetEncoderShape {
        var pieces: [String: [WeightPiece]] = [:]
        func add(_ key: String, _ shape: Shape) throws {
            let tensor = try Tensor.zeros([1]).broadcast(to: shape)
            pieces[key] = [WeightPiece(rows: 0..<shape[0], tensor: tensor, fileKey: key)]
        }
        try add("input_blocks.0.0.weight", [64, 4, 3, 3])
        try add("time_embed.0.weight", [256, 64])
        if let label { try add("label_emb.0.0.weight", [256, label]) }
        var index = 1
        for (level, depth) in depths.enumerated() {
            if level > 0 {
                try add("input_blocks.\(index).0.op.weight", [64, 64, 3, 3])
                index += 1
            }
            try add("input_blocks.\(index).0.out_layers.3.weight", [64, 64, 3, 3])
            for block in 0..<depth {
                try add("input_blocks.\(index).1.transformer_blocks.\(block).attn2.to_k.weight", [64, 32])
                try add("input_blocks.\(index).1.proj_in.weight", [64, 64])
            }
            index += 1
        }
        return try UNetEncoderShape(WeightSource(name: "test", pieces: pieces))
    }

    @Test func kindsAreToldApart() throws {
        #expect(try shape(label: nil, depths: [1, 1, 1, 0]).kind == .sd2)
        #expect(try shape(label: 2048, depths: [1, 1, 1, 0]).kind == .sd2)
        #expect(try shape(label: 2560, depths: [0, 4, 4, 0]).kind == .refiner)
        #expect(try shape(label: 2816, depths: [0, 2, 10]).kind == .sdxl)
    }

    /// Half of Stable unCLIP's label is the picture; without one it is zero. SDXL's pooled text gives way to it.
    @Test func labelsOfPictures() throws {
        let source = WeightSource(name: "test")
        var entry = ConditioningEntry(context: try Tensor.zeros([1, 1, 32]))
        entry[PooledOutput.self] = try Tensor.full([1, 12], 5)
        let x = try Tensor.zeros([2, 4, 8, 8])
        var geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: FlatSampling())
        geometry.seed = 77
        func label(_ shape: UNetEncoderShape) throws -> Tensor {
            let call = NetworkCall(x: x, sigma: 1, time: 0, entry: entry, geometry: geometry)
            return try #require(
                try UNetInputs.vector(call, shape, UNetInputs.augmentor(source, shape), name: "test"))
        }
        let unclip = try shape(label: 24, depths: [1, 1, 1, 0])
        let large = try shape(label: 12 + 6 * 256, depths: [0, 2, 10])
        #expect(try label(unclip).floats() == [Float](repeating: 0, count: 48))
        #expect(try label(large).slice(axis: 1, 0..<12).floats() == [Float](repeating: 5, count: 24))

        let seen = SeenPictures(embeds: try Tensor.full([1, 12], 2), strength: 1, noiseAugmentation: 0.5)
        entry[UnclipPictures.self] = [seen]
        let vector = try NoiseAugmentor(source, width: 12, levelOfSums: 0).vector([seen], seed: 67)
        #expect(try label(unclip).floats() == vector.floats() + vector.floats())
        let pooled = try vector.slice(axis: 1, 0..<12).floats()
        #expect(try label(large).slice(axis: 1, 0..<12).floats() == pooled + pooled)
    }
}

/// Noise levels that nothing is computed with.
private struct FlatSampling: ModelSampling {
    let table: [Float] = [0, 1]
    let isFlow = false
    func timestep(_ sigma: Float) -> Float { sigma }
    func sigma(timestep: Float) -> Float { timestep }
    func percentToSigma(_ percent: Double) -> Double { percent }
    func networkTime(_ sigma: Float) -> Float { sigma }
    func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor { x }
    func denoised(_ x: Tensor, output: Tensor, sigma: Float) throws -> Tensor { x }
    func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor { latent }
    func finish(_ x: Tensor, lastSigma: Float) throws -> Tensor { x }
}
