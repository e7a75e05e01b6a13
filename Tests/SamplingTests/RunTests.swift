import Diffusion
import Tensors
import Testing

@testable import Sampling

/// Whole runs on a network whose answer is known.
@Suite struct RunTests {
    static let backend = NoBackend()

    func run(
        _ network: GaussianNetwork, sampler: String = "euler", steps: Int = 8, cfg: Double = 1, latent: Latent,
        denoise: Double = 1, seed: UInt64 = 3, onStep: (SamplingStep) throws -> Void = { _ in }
    ) throws -> SamplingResult {
        let model = DiffusionModel(network: network)
        let guider = CFGGuider(
            model: model, positive: [try entry(mean: 0.4)], negative: [try entry(mean: -0.2)], cfg: cfg)
        let sigmas = try Schedule.sigmas(
            "normal", sampling: model.sampling, steps: steps, denoise: denoise, forSampler: sampler)
        return try SamplingRun.sample(
            guider, noise: RandomNoise(seed: seed), sampler: Samplers.named(sampler), sigmas: sigmas, latent: latent,
            on: Self.backend, onStep: onStep)
    }

    @Test func emptyLatentsGetTheChannelsOfTheNetwork() throws {
        let network = GaussianNetwork(
            latentFormat: LatentFormat(channels: 16, scale: 0.3611, shift: 0.1159), sampling: FluxSampling())
        let result = try run(network, latent: Latent(samples: .zeros([2, 4, 6, 5])))
        #expect(result.output.samples.shape == [2, 16, 6, 5])
        let error = #expect(throws: SamplingError.self) {
            try run(network, latent: Latent(samples: .full([1, 4, 6, 5], 0.1)))
        }
        #expect(error?.message.contains("4 channels") == true)
    }

    @Test func reportsEveryStepAndTheLastEstimate() throws {
        var steps: [Int] = []
        var last: Tensor?
        let network = GaussianNetwork(sampling: DiscreteSampling())
        let result = try run(network, steps: 5, latent: Latent(samples: .zeros([1, 4, 4, 4]))) {
            steps.append($0.step)
            #expect($0.total == 5)
            last = $0.denoised
        }
        #expect(steps == [1, 2, 3, 4, 5])
        // Units of the VAE: divided by the scale 0.5. Euler's last step returns the estimate itself.
        #expect(try result.denoised.samples.floats() == #require(last).floats().map { $0 / 0.5 })
        #expect(relativeError(try result.denoised.samples.floats(), try result.output.samples.floats()) < 1e-5)
    }

    @Test func stepsCanBeCancelled() throws {
        struct Cancelled: Error {}
        let network = GaussianNetwork(sampling: DiscreteSampling())
        #expect(throws: Cancelled.self) {
            try run(network, latent: Latent(samples: .zeros([1, 4, 4, 4]))) { if $0.step == 2 { throw Cancelled() } }
        }
        #expect(network.log.all.count == 2)
    }

    @Test func notANumberIsReportedWithItsStep() throws {
        var network = GaussianNetwork(sampling: DiscreteSampling())
        let log = network.log
        network.answer = { call in try .full(call.x.shape, log.all.count < 3 ? 0.1 : .nan) }
        let error = #expect(throws: SamplingError.self) {
            try run(network, latent: Latent(samples: .zeros([1, 4, 4, 4])))
        }
        #expect(error?.code == .notFinite)
        #expect(error?.message.contains("step 3 of 8") == true)
        let input = #expect(throws: SamplingError.self) {
            try run(network, latent: Latent(samples: .full([1, 4, 4, 4], .infinity)))
        }
        #expect(input?.message.contains("input latent") == true)
    }

    @Test func maskedPartsKeepTheOriginal() throws {
        for sampling in [DiscreteSampling() as any ModelSampling, FluxSampling()] {
            for sampler in Samplers.all {
                let network = GaussianNetwork(sampling: sampling)
                let original = try RandomNoise(seed: 9).noise(for: Latent(samples: .zeros([2, 4, 8, 8])))
                var latent = Latent(samples: original)
                // Left half kept; twice the latent's size, so it is resized.
                let mask = (0..<256).map { Float($0 % 16 < 8 ? 0 : 1) }
                latent.noiseMask = try Tensor(mask, shape: [1, 16, 16])
                let result = try run(network, sampler: sampler.name, latent: latent, denoise: 0.7)
                let made = try result.output.samples.floats()
                let before = try original.floats()
                // The last step returns the original there, except where a sampler stops short of σ = 0.
                var limit: Float = 1e-4
                if sampler.name.hasPrefix("uni_pc") { limit = 0.01 }
                if ["dpm_fast", "dpm_adaptive"].contains(sampler.name) { limit = 0.6 }
                if sampling.isFlow && SamplerTests.biasedOnFlow.contains(sampler.name) { continue }
                var changed = 0
                for i in made.indices {
                    if i % 8 < 3 { #expect(abs(made[i] - before[i]) < limit, "\(sampler.name)") }
                    if i % 8 > 4, abs(made[i] - before[i]) > 0.05 { changed += 1 }
                }
                #expect(changed > 100)
                #expect(result.output.noiseMask != nil)
            }
        }
    }

    @Test func wrongMasksAreExplained() throws {
        let network = GaussianNetwork(sampling: DiscreteSampling())
        for shape: Shape in [[1, 3, 8, 8], [8], [0, 8, 8]] {
            var latent = Latent(samples: try .zeros([1, 4, 4, 4]))
            latent.noiseMask = try .zeros(shape)
            let error = #expect(throws: SamplingError.self) { try run(network, latent: latent) }
            #expect(error?.code == .shape)
        }
    }

    @Test func noiseFollowsTheBatchIndices() throws {
        let plain = Latent(samples: try .zeros([3, 4, 3, 3]))
        let whole = try RandomNoise(seed: 42).noise(for: plain)
        var generator = TorchGenerator(seed: 42)
        let items = try (0..<5).map { _ in try generator.normal([1, 4, 3, 3]).floats() }
        var picked = plain
        picked.batchIndices = [4, 1, 4]
        #expect(try RandomNoise(seed: 42).noise(for: picked).floats() == items[4] + items[1] + items[4])
        #expect(try whole.floats() != RandomNoise(seed: 42).noise(for: picked).floats())
        picked.batchIndices = [0, -1, 2]
        #expect(throws: SamplingError.self) { try RandomNoise(seed: 42).noise(for: picked) }
        picked.batchIndices = [0]
        #expect(throws: SamplingError.self) { try RandomNoise(seed: 42).noise(for: picked) }
        #expect(try HostMath.isZero(DisableNoise().noise(for: plain)))
    }

    @Test func schedulesWithoutSteps() throws {
        let network = GaussianNetwork(sampling: DiscreteSampling())
        let model = DiffusionModel(network: network)
        let guider = BasicGuider(model: model, conditioning: [try entry(mean: 0)])
        let latent = Latent(samples: try .full([1, 4, 2, 2], 0.25))
        func sample(_ sigmas: [Float]) throws -> [Float] {
            try SamplingRun.sample(
                guider, noise: RandomNoise(seed: 1), sampler: EulerSampler(), sigmas: sigmas, latent: latent,
                on: Self.backend
            ).output.samples.floats()
        }
        #expect(try sample([]) == latent.samples.floats())
        #expect(network.log.all.isEmpty)
        #expect(try sample([2]) != latent.samples.floats())
        #expect(network.log.all.isEmpty)
        #expect(throws: SamplingError.self) { try sample([.nan, 0]) }
        #expect(throws: SamplingError.self) { try sample([1, -1]) }
    }

    @Test func unknownSamplersAreNamed() {
        let error = #expect(throws: SamplingError.self) { try Samplers.named("eulr") }
        #expect(error?.message.contains("euler_ancestral") == true)
    }
}
