import Diffusion
import JSON
import Tensors
import Testing

@testable import Sampling

/// Guiders and mask functions beyond plain guidance, on a network whose answers are constants.
@Suite struct GuiderTests {
    let x: Tensor
    let model: DiffusionModel
    let geometry: RunGeometry

    init() throws {
        x = try RandomNoise(seed: 8).noise(for: Latent(samples: .zeros([2, 4, 4, 4])))
        var network = GaussianNetwork(sampling: DiscreteSampling())
        network.deviation = 0
        model = DiffusionModel(network: network)
        geometry = RunGeometry(latentShape: x.shape, latent: x, noiseMask: nil, sampling: model.sampling)
    }

    func value(_ guider: any Guider) throws -> Float {
        let denoiser = try guider.denoiser(for: geometry, on: NoBackend())
        let made = try denoiser(x, 2).floats()
        let first = try #require(made.first)
        #expect(made.allSatisfy { abs($0 - first) < 1e-5 })
        return first
    }

    @Test func twoConditionings() throws {
        func guider(nested: Bool) throws -> DualCFGGuider {
            DualCFGGuider(
                model: model, first: [try entry(mean: 3)], second: [try entry(mean: 1)],
                negative: [try entry(mean: -1)], firstScale: 4, secondScale: 2, isNested: nested)
        }
        #expect(abs(try value(guider(nested: false)) - (-1 + 2 * 2 + 2 * 4)) < 1e-4)
        #expect(abs(try value(guider(nested: true)) - (-1 + 2 * ((1 + 2 * 4) + 1))) < 1e-4)
    }

    @Test func perpendicularNegatives() throws {
        func guider(negative: ConditioningEntry) throws -> PerpendicularNegativeGuider {
            PerpendicularNegativeGuider(
                model: model, positive: [try entry(mean: 3)], negative: [negative], empty: [try entry(mean: 1)],
                cfg: 5, negativeScale: 1)
        }
        // Constant pictures are parallel, so nothing of the negative remains.
        #expect(abs(try value(guider(negative: entry(mean: -7))) - (1 + 5 * 2)) < 1e-4)
    }

    @Test func rescalingKeepsTheDeviationOfThePositive() throws {
        let positive = try RandomNoise(seed: 1).noise(for: Latent(samples: x))
        let negative = try RandomNoise(seed: 2).noise(for: Latent(samples: x))
        func inputs(_ scale: Float) -> GuidanceInputs {
            GuidanceInputs(
                x: x, sigma: 2, scale: scale, positive: positive, negative: negative, denoised: positive,
                sampling: model.sampling, network: model.network, positiveEstimate: { _ in positive })
        }
        // Without rescaling it is plain guidance; at scale 1 the positive comes back whatever the share.
        let plain = try RescaledGuidance.formula(multiplier: 0)(inputs(6)).floats()
        let expected = try HostMath.zip(negative, positive) { $0 + ($1 - $0) * 6 }.floats()
        #expect(relativeError(plain, expected) < 1e-5)
        let one = try RescaledGuidance.formula(multiplier: 1)(inputs(1)).floats()
        #expect(relativeError(one, try positive.floats()) < 1e-5)
        // Fully rescaled, the velocity x/5 − D has the spread of the positive's, item by item.
        let rescaled = try RescaledGuidance.formula(multiplier: 1)(inputs(6))
        func spread(_ denoised: Tensor) throws -> Double {
            let v = try HostMath.zip(x, denoised) { $0 / 5 - $1 }.floats().prefix(64)
            let mean = v.reduce(0.0) { $0 + Double($1) } / 64
            return (v.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 63).squareRoot()
        }
        #expect(abs(try spread(rescaled) / spread(positive) - 1) < 1e-5)
    }

    @Test func softMasksOpenWithTheRun() throws {
        let sampling = FlowSampling(shift: 1)
        let mask = try Tensor([0, 0.25, 0.5, 0.75, 1], shape: [1, 1, 1, 5])
        func open(_ sigma: Float) throws -> [Float] {
            try DifferentialDiffusion.mask(
                NoiseMaskInputs(mask: mask, sigma: sigma, sigmas: [1, 0.5, 0], sampling: sampling)
            ).floats()
        }
        #expect(try open(1) == [0, 0, 0, 0, 1])
        #expect(try open(0.5) == [0, 0, 1, 1, 1])
        #expect(try open(0.001) == [1, 1, 1, 1, 1])
    }

    /// The golden rows, which need networks, at least name samplers and schedulers that exist and have their tensors.
    @Test func goldenRowsAreComplete() throws {
        let rows = try #require(GoldenFile.json("runs")["cases"]?.arrayValue)
        let tensors = try GoldenFile("runs").tensors
        #expect(rows.count == 202)
        var samplers: Set<String> = []
        for row in rows {
            let name = try #require(row["sampler"]?.stringValue)
            samplers.insert(try Samplers.named(name).name)
            _ = try Schedulers.named(try #require(row["scheduler"]?.stringValue))
            #expect(tensors[try #require(row["id"]?.stringValue)] != nil)
        }
        #expect(samplers == Set(Samplers.all.map(\.name)))
    }
}
