import Diffusion
import Foundation
import ModelMaker
import Models
import Planning
import Tensors
import Testing

@Suite struct CountingTests {
    @Test func productsAreCounted() throws {
        let backend = CountingBackend(precision: .float32)
        let weight = LinearWeight(matrix: try Tensor.zeros([30, 20]))
        let y = try backend.linear([Tensor.zeros([2, 5, 12]), Tensor.zeros([2, 5, 8])], weight, LinearEpilogue())
        #expect(y.shape == [2, 5, 30])
        #expect(backend.work.products == 2 * 10 * 20 * 30)
        let q = try Tensor.zeros([1, 7, 16])
        let k = try Tensor.zeros([1, 11, 16])
        _ = try backend.attention(q, k, k, heads: 2, scale: 1, mask: .none, result: .compute)
        #expect(backend.work.attention == 2 * 2 * 7 * 11 * 16)
        let picture = try Tensor.zeros([1, 9, 9, 3])
        let kernel = try Tensor.zeros([5, 3, 3, 3])
        let out = try backend.convolution(
            picture, kernel: kernel, bias: nil, stride: 2, padding: EdgePadding(1), activation: .silu)
        #expect(out.shape == [1, 5, 5, 5])
        #expect(backend.work.convolutions == 2 * 25 * 5 * 27)
        #expect(try backend.host(out).floats().allSatisfy { $0 == 0 })
    }

    @Test func wrongShapesAreErrors() throws {
        let backend = CountingBackend(precision: .bfloat16)
        let weight = LinearWeight(matrix: try Tensor.zeros([30, 20]))
        #expect(throws: TensorError.self) { try backend.linear(Tensor.zeros([2, 21]), weight) }
        #expect(throws: TensorError.self) { try backend.linear([], weight, LinearEpilogue()) }
        #expect(throws: TensorError.self) {
            try backend.resizeNearest(Tensor.zeros([1, 2, 2, 3]), height: .max, width: .max)
        }
        #expect(throws: TensorError.self) { try backend.concatenate([], axis: 0) }
    }

    @Test func aTensorOfATerabyteTakesNoMemory() throws {
        let backend = CountingBackend(precision: .float32)
        let wide = LinearWeight(matrix: try Tensor.zeros([1 << 18, 1]))
        let y = try backend.linear(Tensor.zeros([1 << 20, 1]), wide)
        #expect(y.count == 1 << 38)
    }

    /// The formula of the network is written down apart from its code.
    @Test func fluxIsCountedAsItsFormulaSays() throws {
        let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../GoldenTests/Cases/models/unet/flux-mini.ckpt.json").standardizedFileURL.path
        let path = NSTemporaryDirectory() + "/graphrun-planning-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ManifestFolder.read(cases).write(to: path)
        let network = try #require(
            ModelLoader.network(path: path, weightType: nil, warn: { _ in }) as? FluxNetwork)
        let backend = CountingBackend(precision: .float32)
        let x = try Tensor.zeros([1, 16, 64, 64])
        var entry = ConditioningEntry(context: try Tensor.zeros([1, 256, network.contextWidth]))
        entry[PooledOutput.self] = try Tensor.zeros([1, network.pooledWidth])
        entry[Guidance.self] = 3.5
        let call = NetworkCall(
            x: x, sigma: 0.9, time: 0.9, entry: entry,
            geometry: RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: network.sampling))
        #expect(try network(call, on: backend).shape == x.shape)
        let ratio = backend.work.operations / network.operations(imageTokens: 1024, textTokens: 256)
        // The formula leaves the embedders and the modulations out.
        #expect(ratio > 1 && ratio < 1.15, "\(ratio)")
    }
}
