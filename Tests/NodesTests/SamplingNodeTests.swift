import Diffusion
import NodeKit
import Sampling
import Tensors
import Testing

struct SamplingNodeTests {
    private let context: NodeContext
    private let installation: TestInstallation
    init() throws {
        installation = try TestInstallation()
        context = installation.context()
    }

    private let model = DiffusionModel(network: StubNetwork(strength: 0.5))
    private func conditioning() throws -> ConditioningValue {
        ConditioningValue([ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))])
    }
    private func sample(_ changes: [String: any NodeValue] = [:]) async throws -> Latent {
        let inputs: [String: any NodeValue] = [
            "model": model, "seed": UInt64(7), "steps": 4, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple",
            "positive": try conditioning(), "negative": try conditioning(),
            "latent_image": Latent(samples: try Tensor.zeros([1, 4, 2, 3])), "denoise": 1.0,
        ]
        return try await call("KSampler", inputs.merging(changes) { $1 }, context)
    }

    @Test func kSamplerReportsItsSteps() async throws {
        let latent = try await sample()
        #expect(latent.samples.shape == [1, 16, 2, 3])
        #expect(installation.progress == ["1/4", "2/4", "3/4", "4/4"])
    }

    /// The parts of the custom sampler give what KSampler gives.
    @Test func kSamplerEqualsItsParts() async throws {
        let sigmas: Sigmas = try await call(
            "BasicScheduler", ["model": model, "scheduler": "simple", "steps": 4, "denoise": 1.0], context)
        #expect(sigmas.values.count == 5 && sigmas.values.last == 0)
        let noise: NoiseValue = try await call("RandomNoise", ["noise_seed": UInt64(7)], context)
        let guider: GuiderValue = try await call(
            "CFGGuider", ["model": model, "positive": try conditioning(), "negative": try conditioning(), "cfg": 1.0],
            context)
        let basic: GuiderValue = try await call(
            "BasicGuider", ["model": model, "conditioning": try conditioning()], context)
        let sampler: SamplerValue = try await call("KSamplerSelect", ["sampler_name": "euler"], context)
        let expected = try await sample().samples.floats()
        for guider in [guider, basic] {
            let results = try await call(
                "SamplerCustomAdvanced",
                [
                    "noise": noise, "guider": guider, "sampler": sampler, "sigmas": sigmas,
                    "latent_image": Latent(samples: try Tensor.zeros([1, 16, 2, 3])),
                ], context)
            let output = try #require(results[0].first as? Latent)
            let denoised = try #require(results[1].first as? Latent)
            #expect(try output.samples.floats() == expected)
            // The last step goes to σ = 0: its result is its estimate.
            #expect(try zip(denoised.samples.floats(), expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func disableNoiseStartsFromTheLatent() async throws {
        let noise: NoiseValue = try await call("DisableNoise", [:], context)
        let latent = Latent(samples: try Tensor.full([1, 2, 2, 2], 3))
        #expect(try HostMath.isZero(noise.source.noise(for: latent)))
    }

    @Test func cancellationStopsBetweenSteps() async throws {
        installation.cancel(after: 2)
        await #expect(throws: CancellationError.self) { _ = try await sample() }
        #expect(installation.progress == ["1/4", "2/4"])
    }

    @Test func seedsHave64Bits() async throws {
        let large = try await sample(["seed": UInt64.max])
        let small = try await sample(["seed": UInt64(7)])
        #expect(try large.samples.floats() != small.samples.floats())
    }

    @Test func denoiseZeroReturnsTheLatent() async throws {
        let start = Latent(samples: try Tensor.full([1, 16, 2, 3], 0.5))
        #expect(try await sample(["latent_image": start, "denoise": 0.0]).samples.floats() == start.samples.floats())
    }

    @Test(arguments: ["EULER", "no such sampler"]) func unknownSamplersAreNamed(name: String) async throws {
        let message = await failure { _ = try await sample(["sampler_name": name]) }
        #expect(message.contains(name) && message.contains("euler"))
        #expect(await failure { _ = try await call("KSamplerSelect", ["sampler_name": name], context) } == message)
        // Known before anything is loaded.
        for node in ["KSampler", "KSamplerSelect"] {
            #expect(try await objection(node, ["sampler_name": name], installation) == message)
            #expect(try await objection(node, ["sampler_name": "euler"], installation) == nil)
            #expect(try await objection(node, [:], installation) == nil)
        }
    }

    @Test func extremeStepsAreErrors() async throws {
        for steps in [Int.min, 0, Int.max] {
            #expect(await failure { _ = try await sample(["steps": steps]) }.isEmpty == false)
        }
    }

    @Test func modelSamplingFluxReplacesTheSchedule() async throws {
        let inputs: [String: any NodeValue] = [
            "model": model, "max_shift": 1.15, "base_shift": 0.5, "width": 512, "height": 512,
        ]
        let changed: DiffusionModel = try await call("ModelSamplingFlux", inputs, context)
        let expected = FluxSampling(maxShift: 1.15, baseShift: 0.5, width: 512, height: 512)
        #expect(changed.sampling.table == expected.table)
        #expect(model.sampling.table != expected.table)
        for width in [Int.min, 0, Int.max] {
            let message = await failure {
                _ = try await call("ModelSamplingFlux", inputs.merging(["width": width]) { $1 }, context)
            }
            #expect(message.contains("\"width\""))
        }
    }
}
