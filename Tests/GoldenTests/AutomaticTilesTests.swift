import CPUBackend
import Diffusion
import Tensors
import TestSupport
import Testing

@testable import Models

/// A VAE that is given little memory works in tiles, says so and makes nearly the same picture.
struct AutomaticTilesTests {
    private let vae: any TiledAutoencoder
    private let backend = CPUBackend(precision: .float32, threads: 2)

    init() throws {
        let path = try GoldenModels.folder() + "/vae/ae-mini.safetensors"
        vae = try #require(ModelLoader.autoencoder(path: path) { _ in } as? any TiledAutoencoder)
    }

    private func difference(_ a: Tensor, _ b: Tensor) throws -> Float {
        try #require(a.shape == b.shape)
        let (a, b) = (try a.floats(), try b.floats())
        return zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(a.count)
    }

    @Test func decoding() throws {
        let latent = try HostMath.map(Tensor.zeros([1, 16, 40, 40])) { _ in Float.random(in: -1...1) }
        var notes: [String] = []
        let whole = try vae.decode(latent, on: backend)
        let ample = try vae.decode(latent, within: 1 << 30, on: backend) { notes.append($0) }
        #expect(try notes.isEmpty && difference(whole, ample) == 0)
        let unknown = try vae.decode(latent, within: nil, on: backend) { notes.append($0) }
        #expect(try notes.isEmpty && difference(whole, unknown) == 0)
        let tiled = try vae.decode(latent, within: 50 << 20, on: backend) { notes.append($0) }
        #expect(notes.count == 1 && notes.first?.contains("tiles of 256 × 256") == true)
        #expect(try difference(whole, tiled) < 0.1)
    }

    @Test func encoding() throws {
        let picture = try HostMath.map(Tensor.zeros([1, 320, 320, 3])) { _ in Float.random(in: 0...1) }
        var notes: [String] = []
        let whole = try vae.encode(picture, on: backend)
        let tiled = try vae.encode(picture, within: 30 << 20, on: backend) { notes.append($0) }
        #expect(notes.count == 1 && notes.first?.contains("encoding") == true)
        let size = try whole.floats().reduce(0) { $0 + abs($1) } / Float(whole.count)
        #expect(try difference(whole, tiled) < 0.5 * size)
    }

    /// Tiles use what is allowed, and never more unless even the smallest do not fit.
    @Test func sides() {
        for memory in stride(from: 20 << 20, to: 400 << 20, by: 10 << 20) {
            guard let side = vae.tileSide(decoding: true, pixels: 1024 * 1024, within: memory) else { continue }
            #expect(side % 128 == 0 && side >= 256)
            #expect(side == 256 || vae.workingBytes(decoding: true, pixels: side * side) <= memory)
        }
        #expect(vae.tileSide(decoding: true, pixels: 1024 * 1024, within: 1 << 40) == nil)
        #expect(vae.tileSide(decoding: true, pixels: 256 * 256, within: 1) == nil)
    }
}
