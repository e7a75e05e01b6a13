import Diffusion
import Foundation
import JSON
import Testing

@testable import Sampling

/// The model tables and schedules of goldens/sampling/sigmas.
@Suite struct ScheduleTests {
    let golden: GoldenFile
    let index: JSON
    init() throws {
        golden = try GoldenFile("sigmas")
        index = try GoldenFile.json("sigmas")
    }

    static let names = [
        "sd15", "sdxl", "sd-zsnr-v", "flux", "flux-1024", "flux-512x768", "sd3", "auraflow", "edm", "edm-v",
    ]

    static func sampling(_ name: String) throws -> any ModelSampling {
        switch name {
        case "sd15", "sdxl": DiscreteSampling()
        case "sd-zsnr-v": DiscreteSampling(prediction: .velocity, zeroTerminalSNR: true)
        case "flux": FluxSampling(shift: 1.15)
        case "flux-1024": FluxSampling(maxShift: 1.15, baseShift: 0.5, width: 1024, height: 1024)
        case "flux-512x768": FluxSampling(maxShift: 1.15, baseShift: 0.5, width: 512, height: 768)
        case "sd3": FlowSampling(shift: 3, multiplier: 1000)
        case "auraflow": FlowSampling(shift: 1.73, multiplier: 1)
        case "edm":
            try ContinuousSampling(
                prediction: .edm(dataDeviation: 0.5), time: .quarterLogarithm, sigmaMin: 0.002, sigmaMax: 80)
        case "edm-v":
            try ContinuousSampling(prediction: .velocity, time: .arcTangent, sigmaMin: 0.03, sigmaMax: 500)
        default: throw GoldenFile.Malformed(file: name)
        }
    }

    @Test(arguments: names) func tables(name: String) throws {
        let made = try Self.sampling(name).table
        let expected = try golden.floats(name + ".table")
        // The reference's vectorised exp may differ by a unit in the last place.
        #expect(ulps(made, expected) <= (name.hasPrefix("edm") ? 1 : 0))
    }

    @Test(arguments: names) func percentages(name: String) throws {
        let sampling = try Self.sampling(name)
        let rows = try #require(index["models"]?[name]?["percent_to_sigma"]?.objectValue)
        #expect(rows.count >= 6)
        for (key, value) in rows {
            let expected = try #require(value.doubleValue)
            let made = sampling.percentToSigma(try #require(Double(key)))
            #expect(abs(made - expected) <= 5e-7 * abs(expected), "\(key): \(made), expected \(expected)")
        }
    }

    @Test func allSchedules() throws {
        let rows = try #require(index["schedules"]?.arrayValue)
        #expect(rows.count == 1008)
        let samplings = Dictionary(uniqueKeysWithValues: try Self.names.map { ($0, try Self.sampling($0)) })
        for row in rows {
            let id = try #require(row["id"]?.stringValue)
            let model = try #require(row["model"]?.stringValue)
            let scheduler = try #require(row["scheduler"]?.stringValue)
            let made = try Schedule.sigmas(
                scheduler, sampling: try #require(samplings[model]), steps: try #require(row["steps"]?.intValue),
                denoise: try #require(row["denoise"]?.doubleValue), forSampler: row["sampler"]?.stringValue)
            let expected = try golden.floats(id)
            #expect(made.count == expected.count, "\(id)")
            for (a, b) in zip(made, expected) where !(a.isNaN && b.isNaN) {
                let error = Double(abs(a - b)) / Double(max(abs(b), 1e-6))
                #expect(error < 3e-6, "\(id): \(a), expected \(b)")
            }
        }
    }

    @Test func namesInOrder() {
        #expect(
            Schedulers.all.map(\.name) == [
                "simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal", "linear_quadratic",
                "kl_optimal",
            ])
    }

    @Test func mistakesAreExplained() throws {
        let sampling = FluxSampling()
        #expect(throws: SamplingError.self) { try Schedule.sigmas("karas", sampling: sampling, steps: 4) }
        #expect(throws: SamplingError.self) { try Schedule.sigmas("simple", sampling: sampling, steps: 0) }
        #expect(throws: SamplingError.self) {
            try Schedule.sigmas("simple", sampling: sampling, steps: 20, denoise: 1e-300)
        }
        #expect(try Schedule.sigmas("simple", sampling: sampling, steps: 20, denoise: 0).isEmpty)
    }

    @Test func betaQuantiles() throws {
        // Closed forms: Beta(1, b), Beta(a, 1) and the arcsine distribution.
        for p in [1e-9, 0.01, 0.3, 0.5, 0.77, 0.999] {
            #expect(abs(try BetaDistribution(a: 3, b: 1).quantile(p) - pow(p, 1.0 / 3)) < 1e-13)
            #expect(abs(try BetaDistribution(a: 1, b: 4).quantile(p) - (1 - pow(1 - p, 0.25))) < 1e-13)
            let sine = sin(Double.pi * p / 2)
            #expect(abs(try BetaDistribution(a: 0.5, b: 0.5).quantile(p) - sine * sine) < 1e-13)
        }
    }
}
