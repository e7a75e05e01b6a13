import Diffusion
import NodeKit
import Tensors
import Testing

struct LatentNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    @Test(arguments: [("EmptyLatentImage", 4), ("EmptySD3LatentImage", 16)])
    func emptyLatents(id: String, channels: Int) async throws {
        let latent: Latent = try await call(id, ["width": 100, "height": 64, "batch_size": 2], context)
        #expect(latent.samples.shape == [2, channels, 8, 12])
        #expect(try HostMath.isZero(latent.samples))
    }

    @Test func encodeAndDecode() async throws {
        let vae = AutoencoderValue(StubAutoencoder())
        let picture = Image(try Tensor.zeros([1, 16, 24, 3]))
        let latent: Latent = try await call("VAEEncode", ["pixels": picture, "vae": vae], context)
        #expect(latent.samples.shape == [1, 16, 2, 3])
        let decoded: Image = try await call("VAEDecode", ["samples": latent, "vae": vae], context)
        #expect(decoded.tensor.shape == [1, 16, 24, 3])
    }

    @Test func decodeRefusesNaN() async throws {
        let broken = Latent(samples: try Tensor.full([1, 16, 2, 2], .nan))
        let message = await failure {
            _ = try await call(
                "VAEDecode", ["samples": broken, "vae": AutoencoderValue(StubAutoencoder())], context)
        }
        #expect(message.contains("NaN"))
    }

    @Test func noiseMaskGetsAChannel() async throws {
        let latent = Latent(samples: try Tensor.zeros([1, 16, 2, 2]), batchIndices: [3])
        let masked: Latent = try await call(
            "SetLatentNoiseMask", ["samples": latent, "mask": Mask(try Tensor.full([1, 5, 7], 0.5))], context)
        #expect(masked.noiseMask?.shape == [1, 1, 5, 7])
        #expect(masked.batchIndices == [3])
    }
}
