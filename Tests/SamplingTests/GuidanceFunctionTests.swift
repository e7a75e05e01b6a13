import Diffusion
import JSON
import Tensors
import Testing

@testable import Sampling

/// Functions of guidance nodes against numpy (`Files/make_guidance.py`), and steps that reuse earlier ones.
@Suite struct GuidanceFunctionTests {
    private let numbers: JSON
    private let scale: Float = 4.5
    private let shape: Shape = [2, 3, 4, 5]

    init() throws { numbers = try GoldenFile.json("guidance") }

    private func tensor(_ key: String) throws -> Tensor {
        let values = try #require(numbers[key]?.arrayValue).compactMap(\.doubleValue)
        return try Tensor(values.map { Float($0) }, shape: shape)
    }

    private func inputs(_ prefix: String = "") throws -> GuidanceInputs {
        let network = GaussianNetwork(sampling: DiscreteSampling())
        let positive = try tensor(prefix + "c")
        return GuidanceInputs(
            x: try tensor("x"), sigma: 2, scale: scale, positive: positive, negative: try tensor(prefix + "u"),
            denoised: try tensor("d"), sampling: network.sampling, network: network, positiveEstimate: { _ in positive }
        )
    }

    /// The guidance formula on adjusted estimates.
    private func guided(_ inputs: GuidanceInputs) throws -> Tensor {
        let negative = try #require(inputs.negative)
        return try HostMath.zip(negative, inputs.positive) { $0 + ($1 - $0) * scale }
    }

    private func compare(_ found: Tensor, _ key: String) throws {
        let error = relativeError(try found.floats(), try tensor(key).floats())
        #expect(error < 3e-6, "\(key): \(error)")
    }

    @Test func functionsAfterTheFormula() throws {
        var inputs = try inputs()
        try compare(ProjectedGuidance.limitedToPositive(inputs, strength: 0.9), "norm")
        try compare(ProjectedGuidance.scaledNoise(inputs, factor: 1.005), "noise")
        inputs.denoised = try guided(inputs)
        try compare(ProjectedGuidance.zeroStar(inputs), "zero")
        // Without a negative there is nothing to fit.
        inputs.negative = nil
        #expect(try ProjectedGuidance.zeroStar(inputs).floats() == inputs.denoised.floats())
    }

    @Test func tangentialDamping() throws {
        var inputs = try inputs()
        try ProjectedGuidance.dampTangentially(&inputs)
        try compare(#require(inputs.negative), "damped")
        // Parallel noises keep all.
        inputs.negative = try HostMath.zip(inputs.x, inputs.positive) { $0 - 3 * ($0 - $1) }
        let before = try #require(inputs.negative)
        try ProjectedGuidance.dampTangentially(&inputs)
        #expect(relativeError(try #require(inputs.negative).floats(), try before.floats()) < 1e-6)
    }

    /// Two steps of one run, and the first step of another one, which knows nothing of them.
    @Test func adaptiveProjection() throws {
        let make = ProjectedGuidance.adaptive(eta: 0.3, threshold: 6, momentum: -0.5)
        let run = make()
        var first = try inputs()
        try run(&first)
        try compare(guided(first), "projected.1")
        var second = try inputs("second.")
        try run(&second)
        try compare(guided(second), "projected.2")
        var other = try inputs()
        try make()(&other)
        try compare(guided(other), "projected.1")
    }

    /// With eta 1 and no limit it is plain guidance.
    @Test func projectionThatKeepsAll() throws {
        var adjusted = try inputs()
        let plain = try guided(adjusted)
        try ProjectedGuidance.adaptive(eta: 1, threshold: 0, momentum: 0)()(&adjusted)
        #expect(relativeError(try guided(adjusted).floats(), try plain.floats()) < 1e-6)
    }

    @Test(arguments: [1, 2]) func frequencies(_ cutoff: Int) throws {
        var inputs = try inputs()
        try FrequencyGuidance.scale(&inputs, low: 0.7, high: 1.4, cutoff: cutoff)
        try compare(guided(inputs), "frequencies.\(cutoff)")
    }

    @Test func allFrequenciesAreLow() throws {
        let x = try tensor("x")
        #expect(relativeError(try FrequencyGuidance.lowPass(x, cutoff: 100).floats(), try x.floats()) < 1e-6)
    }

    private func model(_ network: GaussianNetwork) -> DiffusionModel { DiffusionModel(network: network) }

    private func run(_ model: DiffusionModel, cfg: Double) throws -> Tensor {
        let latent = Latent(samples: try .zeros([1, 4, 4, 4]))
        let sigmas = try Schedule.sigmas("normal", sampling: model.sampling, steps: 20)
        return try SamplingRun.sample(
            CFGGuider(model: model, positive: [entry(mean: 2)], negative: [entry(mean: -1)], cfg: cfg),
            noise: RandomNoise(seed: 3), sampler: EulerSampler(),
            sigmas: sigmas, latent: latent, on: NoBackend()
        ).output.samples
    }

    /// Evaluations reused inside the range; both conditionings at the same steps.
    @Test func evaluationsAreReused() throws {
        let network = GaussianNetwork(sampling: DiscreteSampling())
        let plain = try run(model(network), cfg: 3)
        #expect(network.log.all.count == 40)
        network.log.clear()
        var cached = model(network)
        let range = PercentRange(start: 0.15, end: 0.95)
        cached[EvaluationShortcuts.self] = {
            EvaluationReuse(ChangeTracker(threshold: 0.2, range: range, sampling: $0))
        }
        let reused = try run(cached, cfg: 3)
        let calls = network.log.all
        #expect(calls.count < 40 && calls.count >= 8, "\(calls.count)")
        for sigma in Set(calls.map(\.sigma)) { #expect(calls.count { $0.sigma == sigma } == 2) }
        // The first steps are computed, and the picture stays near.
        let highest = Float(network.sampling.percentToSigma(0.15))
        #expect(calls.count { $0.sigma > highest } == 2 * 3 || calls.count { $0.sigma > highest } == 2 * 4)
        #expect(relativeError(try reused.floats(), try plain.floats()) < 0.2)
        // A second run starts anew.
        network.log.clear()
        #expect(try run(cached, cfg: 3).floats() == reused.floats())
        #expect(network.log.all.count == calls.count)
    }

    @Test func trackedChanges() throws {
        let tracker = ChangeTracker(
            threshold: 0.5, range: PercentRange(start: 0, end: 1), sampling: DiscreteSampling())
        func step(_ value: Float) throws -> Bool {
            let x = try Tensor([value, value], shape: [1, 2])
            let reuses = try tracker.mayReuse(at: x, sigma: 1)
            if !reuses { try tracker.note(x, output: Tensor([2 * value, 2 * value], shape: [1, 2])) }
            return reuses
        }
        // Two steps to learn the slope 2; |v| = 2 · 9.
        #expect(try [10, 9].map(step) == [false, false])
        // 2 · 2 / 18, 2 · 4 / 18; then 2 · 5 / 18 ≥ 0.5 is computed.
        #expect(try [7, 5, 4].map(step) == [true, true, false])
    }
}
