import Diffusion
import Synchronization
import Tensors
import Testing

@testable import Sampling

/// Which entries are evaluated, with what, and how their estimates are combined.
@Suite struct ConditioningTests {
    static let shape: Shape = [2, 4, 8, 8]
    let x: Tensor
    init() throws { x = try RandomNoise(seed: 8).noise(for: Latent(samples: .zeros(Self.shape))) }

    /// A network that answers so that D is the entry's mean everywhere.
    func constantNetwork(_ sampling: any ModelSampling = FluxSampling()) -> GaussianNetwork {
        var network = GaussianNetwork(sampling: sampling)
        network.deviation = 0
        return network
    }

    func geometry(_ model: DiffusionModel) throws -> RunGeometry {
        RunGeometry(latentShape: Self.shape, latent: try .zeros(Self.shape), noiseMask: nil, sampling: model.sampling)
    }

    func evaluator(_ network: GaussianNetwork, _ conditionings: [Conditioning]) throws -> ConditioningEvaluator {
        let model = DiffusionModel(network: network)
        return try ConditioningEvaluator(
            model: model, conditionings: conditionings, geometry: geometry(model), on: NoBackend())
    }

    func guided(
        _ network: GaussianNetwork, cfg: Double, options: (inout DiffusionModel) -> Void = { _ in }
    ) throws -> any Denoiser {
        var model = DiffusionModel(network: network)
        options(&model)
        return try CFGGuider(model: model, positive: [entry(mean: 0.5)], negative: [entry(mean: -0.25)], cfg: cfg)
            .denoiser(for: geometry(model), on: NoBackend())
    }

    func expectEverywhere(_ tensor: Tensor, _ value: Float, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let worst = try tensor.floats().map { abs($0 - value) }.max() ?? 0
        #expect(worst < 1e-5, "\(value), off by \(worst)", sourceLocation: sourceLocation)
    }

    @Test func guidanceFormula() throws {
        let network = constantNetwork()
        let denoiser = try guided(network, cfg: 3)
        try expectEverywhere(try denoiser(x, 0.7), -0.25 + 0.75 * 3)
        #expect(network.log.all.map(\.mean) == [0.5, -0.25])
        let both = try denoiser.withUnconditional(x, 0.7)
        try expectEverywhere(both.unconditional, -0.25)
    }

    @Test func negativeIsSkippedAtScaleOne() throws {
        for cfg in [1, 1 + 1e-10] {
            let network = constantNetwork()
            let denoiser = try guided(network, cfg: cfg)
            try expectEverywhere(try denoiser(x, 0.7), 0.5)
            #expect(network.log.all.map(\.mean) == [0.5])
        }
        let network = constantNetwork()
        let close = try guided(network, cfg: 1 + 1e-8)
        _ = try close(x, 0.7)
        #expect(network.log.all.count == 2)
        // The cfg++ samplers and some options ask for it all the same.
        network.log.clear()
        let one = try guided(network, cfg: 1)
        try expectEverywhere(try one.withUnconditional(x, 0.7).unconditional, -0.25)
        #expect(network.log.all.count == 2)
        network.log.clear()
        let always = try guided(network, cfg: 1) { $0[AlwaysEvaluatesNegative.self] = true }
        _ = try always(x, 0.7)
        #expect(network.log.all.count == 2)
    }

    @Test func guidersWithoutNegative() throws {
        let network = constantNetwork()
        let model = DiffusionModel(network: network)
        let denoiser = try BasicGuider(model: model, conditioning: [entry(mean: 0.5)])
            .denoiser(for: geometry(model), on: NoBackend())
        try expectEverywhere(try denoiser(x, 0.5), 0.5)
        let both = try denoiser.withUnconditional(x, 0.5)
        try expectEverywhere(both.denoised, 0.5)
        try expectEverywhere(both.unconditional, 0)
    }

    @Test func optionsChangeGuidance() throws {
        let network = constantNetwork()
        let denoiser = try guided(network, cfg: 3) { model in
            model[GuidanceFormula.self] = { inputs in
                try HostMath.zip(inputs.positive, #require(inputs.negative)) { $0 * 10 + $1 }
            }
            model[GuidanceAdjustments.self] = [
                { try HostMath.map($0.denoised) { $0 + 1 } },
                { inputs in
                    var other = GaussianNetwork(sampling: FluxSampling())
                    other.answer = { call in try HostMath.map(call.x) { ($0 - 7) / call.sigma } }
                    let second = try inputs.positiveEstimate(other)
                    return try HostMath.zip(inputs.denoised, second) { $0 * 2 + $1 }
                },
            ]
        }
        try expectEverywhere(try denoiser(x, 0.7), (0.5 * 10 - 0.25 + 1) * 2 + 7)
    }

    @Test func activeEntriesAreAveragedByStrength() throws {
        var strong = try entry(mean: 1)
        strong[EntryStrength.self] = 3
        let network = constantNetwork()
        let evaluator = try evaluator(network, [[strong, try entry(mean: -1)], []])
        try expectEverywhere(try evaluator.estimate(0, x, 0.5), 0.5)
        // No entry at all gives zeros and no call.
        network.log.clear()
        try expectEverywhere(try evaluator.estimate(1, x, 0.5), 0)
        #expect(network.log.all.isEmpty)
    }

    @Test(arguments: [DiscreteSampling() as any ModelSampling, FluxSampling()])
    func rangesIncludeTheirEnds(sampling: any ModelSampling) throws {
        var early = try entry(mean: 1)
        early[TimestepRange.self] = PercentRange(start: 0, end: 0.4)
        var late = try entry(mean: 2)
        late[TimestepRange.self] = PercentRange(start: 0.4, end: 1)
        let network = constantNetwork(sampling)
        let evaluator = try evaluator(network, [[early, late]])
        func means(_ sigma: Float) throws -> [Float] {
            network.log.clear()
            _ = try evaluator.estimate(0, x, sigma)
            return network.log.all.map(\.mean)
        }
        let edge = Float(sampling.percentToSigma(0.4))
        #expect(try means(sampling.sigmaMax) == [1])
        #expect(try means(edge) == [1, 2])
        #expect(try means(edge.nextUp) == [1])
        #expect(try means(edge.nextDown) == [2])
        #expect(try means(sampling.sigmaMin) == [2])
    }

    @Test func rangesFollowTheModelsPatches() throws {
        var late = try entry(mean: 2)
        late[TimestepRange.self] = PercentRange(start: 0.5, end: 1)
        let network = constantNetwork()
        var model = DiffusionModel(network: network)
        model.samplingOverride = FlowSampling(shift: 1)
        let evaluator = try ConditioningEvaluator(
            model: model, conditionings: [[late]], geometry: geometry(model), on: NoBackend())
        _ = try evaluator.estimate(0, x, 0.6)  // before half of the patched run, after half of the network's own
        #expect(network.log.all.isEmpty)
    }

    @Test func smallBatchesAreCycled() throws {
        let network = constantNetwork()
        _ = try evaluator(network, [[try entry(mean: 1)]]).estimate(0, x, 0.5)
        #expect(network.log.all.map(\.contextBatch) == [2])
        let broken = ConditioningEntry(context: try .zeros([0, 2, 2]))
        #expect(throws: SamplingError.self) { try evaluator(network, [[broken]]) }
        #expect(throws: SamplingError.self) {
            try evaluator(network, [[ConditioningEntry(context: try .zeros([]))]])
        }
    }

    @Test func wrongAnswersAreNamed() throws {
        var network = constantNetwork()
        network.answer = { _ in try .zeros([1, 4, 8, 8]) }
        let error = #expect(throws: SamplingError.self) {
            try evaluator(network, [[try entry(mean: 1)]]).estimate(0, x, 0.5)
        }
        #expect(error?.message.contains("Gaussian") == true)
    }

    // MARK: areas and masks

    @Test func areasArePredictedOnTheirOwnAndFeathered() throws {
        var corner = try entry(mean: 1)
        corner[EntryArea.self] = .elements(height: 4, width: 8, y: 4, x: 0)
        let network = constantNetwork()
        let evaluator = try evaluator(network, [[corner, try entry(mean: 0)]])
        let made = try evaluator.estimate(0, x, 0.5).floats()
        #expect(network.log.all.map(\.shape) == [[2, 4, 4, 8], [2, 4, 8, 8]])
        func row(_ index: Int) -> Float { made[index * 8 + 3] }
        #expect(row(0) == 0 && row(3) == 0)
        // Four rows: one feathered line at the top side (weight 1), none at the border of the latent.
        #expect(abs(row(4) - 0.5) < 1e-6 && abs(row(7) - 0.5) < 1e-6)
        let area = LatentArea(height: 32, width: 16, y: 8, x: 0)
        let weights = try #require(area.feathering(rows: 64, columns: 64))
        // Rows fade over 8 lines at both ends, columns over 4 lines at the right only.
        #expect(weights[0] == 1.0 / 8 && weights[16 * 7] == 1 && weights[16 * 31] == 1.0 / 8)
        #expect(weights[16 * 10 + 15] == 0.25 && weights[16 * 10 + 12] == 1 && weights[16 * 10] == 1)
    }

    @Test func areasOutsideTheLatentAreRefused() throws {
        let areas: [EntryArea.Value] = [
            .elements(height: 4, width: 4, y: 8, x: 0), .elements(height: 0, width: 4, y: 0, x: 0),
            .elements(height: 4, width: 4, y: .min, x: 0), .fractions(height: .nan, width: 1, y: 0, x: 0),
            .fractions(height: 1, width: 1, y: 1, x: 0),
        ]
        for area in areas {
            var broken = try entry(mean: 1)
            broken[EntryArea.self] = area
            #expect(throws: SamplingError.self) { try evaluator(constantNetwork(), [[broken]]) }
        }
    }

    @Test func masksWeighEntries() throws {
        var left = try entry(mean: 1)
        let mask = (0..<64).map { Float($0 % 8 < 4 ? 1 : 0) }
        left[EntryMask.self] = try Tensor(mask, shape: [1, 8, 8])
        left[EntryMaskStrength.self] = 0.5
        let made = try evaluator(constantNetwork(), [[left, try entry(mean: 0)]]).estimate(0, x, 0.5).floats()
        #expect(abs(made[0] - 1 / 3) < 1e-6)
        #expect(made[7] == 0)
    }

    @Test func maskBoundsAreAtLeastEightWide() throws {
        let shape: Shape = [1, 4, 16, 16]
        var mask = [Float](repeating: 0, count: 256)
        mask[5 * 16 + 6] = 1
        mask[6 * 16 + 7] = 1
        var bounded = try entry(mean: 1)
        bounded[EntryMask.self] = try Tensor(mask, shape: [1, 16, 16])
        bounded[EntryAreaFromMask.self] = true
        let (area, weights) = try EntryPlacement.resolve(bounded, latentShape: shape)
        #expect(area == LatentArea(height: 8, width: 8, y: 5, x: 6))
        #expect(weights?.shape == [1, 1, 8, 8])
    }

    @Test func areasAreMirroredIntoTheNegative() throws {
        var corner = try entry(mean: 1)
        corner[EntryArea.self] = .elements(height: 4, width: 4, y: 0, x: 0)
        corner[EntryStrength.self] = 2
        let mirrored = try AreaMirroring.applied(
            to: [[corner, try entry(mean: 2)], [try entry(mean: 3)]], latentShape: Self.shape)
        #expect(mirrored[0].count == 2)
        #expect(mirrored[1].count == 2)
        #expect(mirrored[1][1][EntryArea.self] == corner[EntryArea.self])
        #expect(mirrored[1][1][EntryStrength.self] == 2)
        #expect(try mirrored[1][1].context.floats().first == 3)
    }

    // MARK: ControlNets

    final class StubControl: ControlNetwork {
        let value: Float
        let preparations = Mutex(0)
        init(value: Float) { self.value = value }
        var family: String { "stub" }
        var needsAutoencoder: Bool { false }
        var extraHintChannels: Int { 0 }

        struct Prepared: PreparedControl {
            let value: Float
            func residuals(_ call: NetworkCall, on backend: any Backend) throws -> ControlResiduals {
                ControlResiduals(groups: ["double": [try .full([1], value)]])
            }
        }
        func prepare(
            _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat,
            on backend: any Backend
        ) throws -> any PreparedControl {
            preparations.withLock { $0 += 1 }
            return Prepared(value: value * attachment.strength)
        }
    }

    func attachment(_ control: StubControl, start: Double = 0, end: Double = 1) throws -> ControlAttachment {
        ControlAttachment(
            control: ControlNet(network: control), image: try .zeros([1, 8, 8, 3]), strength: 1,
            range: PercentRange(start: start, end: end), autoencoder: nil)
    }

    @Test func controlNetsArePreparedOncePerRunAndAdded() throws {
        let (first, second) = (StubControl(value: 1), StubControl(value: 10))
        let shared = try attachment(first)
        let halfway = try attachment(second, start: 0.5)
        var positive = try entry(mean: 1)
        positive[Control.self] = [shared, halfway]
        var negative = try entry(mean: -1)
        negative[Control.self] = [shared]
        let network = constantNetwork()
        let evaluator = try evaluator(network, [[positive], [negative]])
        for index in 0...1 {
            _ = try evaluator.estimate(index, x, 1)
            _ = try evaluator.estimate(index, x, 0.1)
        }
        #expect(first.preparations.withLock { $0 } == 1)
        #expect(second.preparations.withLock { $0 } == 1)
        #expect(network.log.all.map(\.control) == [1, 11, 1, 1])
    }

    @Test func oldControlNetsGoToNegativesWithoutOne() throws {
        let control = try attachment(StubControl(value: 1))
        let own = try attachment(StubControl(value: 5))
        var positive = try entry(mean: 1)
        positive[Control.self] = [control]
        var controlled = try entry(mean: -2)
        controlled[Control.self] = [own]
        for marked in [false, true] {
            positive[ControlForNegative.self] = marked
            let network = constantNetwork()
            let evaluator = try evaluator(network, [[positive], [try entry(mean: -1), controlled]])
            _ = try evaluator.estimate(1, x, 0.5)
            #expect(network.log.all.map(\.control) == [marked ? 1 : nil, 5])
        }
    }
}
