import Diffusion
import Foundation
import Tensors
import Testing

@testable import Sampling

/// D of a Gaussian picture model: linear in x, so the exact end of the deterministic path is known.
final class GaussianDenoiser: Denoiser {
    let sampling: any ModelSampling
    let deviation: Float
    let mean: Float
    var calls = 0

    init(_ sampling: any ModelSampling, deviation: Float = 0.8, mean: Float = 0.3) {
        self.sampling = sampling
        self.deviation = deviation
        self.mean = mean
    }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        calls += 1
        let (variance, mean) = (deviation * deviation, mean)
        let keep = sampling.isFlow ? 1 - sigma : 1
        let gain = keep * variance / (keep * keep * variance + sigma * sigma)
        return try HostMath.map(x) { mean + gain * ($0 - keep * mean) }
    }

    /// The negative's estimate equals the guided one: what cfg++ samplers see at cfg 1 with equal prompts.
    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        let denoised = try self(x, sigma)
        return (denoised, denoised)
    }

    /// Where the probability flow takes x from σ to 0: standardised distances from the mean are kept.
    func exact(_ x: [Float], _ sigma: Float) -> [Float] {
        let keep = sampling.isFlow ? Double(1 - sigma) : 1
        let spread = (keep * keep * Double(deviation * deviation) + Double(sigma * sigma)).squareRoot()
        return x.map { Float(Double(mean) + Double(deviation) * (Double($0) - keep * Double(mean)) / spread) }
    }
}

/// The samplers on a problem whose answer is known. That they are the reference's, step by step, is shown by the
/// sampling goldens, which need networks (TestSupport's SamplingGoldens).
@Suite struct SamplerTests {
    static let names = Samplers.all.map(\.name)
    static let models: [any ModelSampling] = [DiscreteSampling(), FluxSampling()]

    @Test func namesInTheReferencesOrder() {
        #expect(
            Self.names == [
                "euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2", "dpm_2",
                "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral",
                "dpmpp_2s_ancestral_cfg_pp", "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_cfg_pp",
                "dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "dpmpp_3m_sde",
                "dpmpp_3m_sde_gpu", "ddpm", "lcm", "ipndm", "ipndm_v", "deis", "res_multistep",
                "res_multistep_cfg_pp", "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp",
                "gradient_estimation", "gradient_estimation_cfg_pp", "er_sde", "seeds_2", "seeds_3", "sa_solver",
                "sa_solver_pece", "ddim", "uni_pc", "uni_pc_bh2",
            ])
    }

    func run(
        _ sampler: any Sampler, _ denoiser: GaussianDenoiser, steps: Int, count: Int, seed: UInt64 = 5,
        scheduler: String = "karras", onStep: (SamplingStep) throws -> Void = { _ in }
    ) throws -> (made: [Float], exact: [Float]) {
        let sampling = denoiser.sampling
        var sigmas = try Schedule.sigmas(scheduler, sampling: sampling, steps: steps, forSampler: sampler.name)
        // Just below pure noise, so that the start is on the path whose end is known.
        if sampling.isFlow { sigmas[0] = 0.9999 }
        let shape: Shape = [1, 1, 1, count]
        let noise = try RandomNoise(seed: seed).noise(for: Latent(samples: .zeros(shape)))
        let start = GaussianDenoiser.start(denoiser, noise: try noise.floats(), sigma: sigmas[0])
        let x = try Tensor(start, shape: shape)
        let result = try sampler.sample(
            denoiser, x: x, sigmas: sigmas, seed: seed &+ 1, noise: noise, latent: .zeros(shape), onStep: onStep)
        let finished = try sampling.finish(result.x, lastSigma: result.lastSigma)
        return (try finished.floats(), denoiser.exact(start, sigmas[0]))
    }

    /// Deterministic samplers: the error allowed with 40 steps, and by what factor four times the steps must reduce it.
    /// `dpm_adaptive` chooses its own steps.
    static let deterministic: [(name: String, limit: Double, gain: Double)] = [
        ("euler", 0.08, 3), ("ddim", 0.08, 3), ("euler_cfg_pp", 0.08, 3), ("heun", 0.004, 8), ("heunpp2", 0.04, 3),
        ("dpm_2", 0.004, 8), ("lms", 0.01, 8), ("dpm_fast", 0.002, 8), ("dpm_adaptive", 0.05, 0),
        ("dpmpp_2m", 0.004, 8), ("ipndm", 0.008, 3), ("ipndm_v", 0.01, 8), ("deis", 0.01, 8),
        ("res_multistep", 0.006, 8), ("gradient_estimation", 0.08, 3), ("uni_pc", 0.002, 8), ("uni_pc_bh2", 0.002, 8),
    ]

    @Test(arguments: deterministic)
    func deterministicSamplersFollowThePath(name: String, limit: Double, gain: Double) throws {
        for sampling in Self.models {
            let errors = try [40, 160].map { steps in
                let (made, exact) = try run(
                    Samplers.named(name), GaussianDenoiser(sampling), steps: steps, count: 64)
                return relativeError(made, exact)
            }
            #expect(errors[0] < limit, "\(name)")
            // The last step, from the smallest level to 0, costs all of them up to this much.
            let floor = 2e-3
            #expect(errors[0] / errors[1] > gain || errors[1] < floor, "\(name): \(errors)")
        }
    }

    /// Samplers that do not reproduce the distribution, as in the reference: lcm gives the last estimate; the second one
    /// keeps an estimate of the wrong level; the others use the formulas of variance-exploding models on flow models.
    static let biased: Set<String> = ["lcm", "dpmpp_2s_ancestral_cfg_pp"]
    static let biasedOnFlow: Set<String> = ["ddpm", "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp"]

    @Test(arguments: names) func resultsAreDistributedLikeThePictures(name: String) throws {
        if Self.biased.contains(name) { return }
        for sampling in Self.models where !(sampling.isFlow && Self.biasedOnFlow.contains(name)) {
            let count = 4096
            let made = try run(Samplers.named(name), GaussianDenoiser(sampling), steps: 40, count: count).made
            let mean = made.reduce(0.0) { $0 + Double($1) } / Double(count)
            let variance = made.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
            #expect(abs(mean - 0.3) < 0.06, "\(name)")
            #expect(abs(variance.squareRoot() - 0.8) < 0.08, "\(name)")
        }
    }

    @Test(arguments: names) func equalSeedsGiveEqualResults(name: String) throws {
        let sampler = try Samplers.named(name)
        let first = try run(sampler, GaussianDenoiser(FluxSampling()), steps: 5, count: 32).made
        let second = try run(sampler, GaussianDenoiser(FluxSampling()), steps: 5, count: 32).made
        #expect(first == second)
    }

    /// Every length of schedule, with and without a final 0: results are numbers and every step is reported.
    @Test(arguments: names) func shortSchedules(name: String) throws {
        let sampler = try Samplers.named(name)
        for sampling in Self.models {
            for steps in 1...5 {
                for dropsZero in [false, true] {
                    var sigmas = try Schedule.sigmas("normal", sampling: sampling, steps: steps + 1)
                    sigmas.removeFirst()
                    if dropsZero { sigmas.removeLast() }
                    if sigmas.count < 2 { continue }
                    let noise = try RandomNoise(seed: 1).noise(for: Latent(samples: .zeros([1, 4, 3, 3])))
                    let x = try HostMath.scale(noise, sigmas[0])
                    var reports = 0
                    let result = try sampler.sample(
                        GaussianDenoiser(sampling), x: x, sigmas: sigmas, seed: 4, noise: noise,
                        latent: .zeros(x.shape)
                    ) { step in
                        reports += 1
                        #expect(step.step == reports && step.total >= reports)
                    }
                    #expect(try !HostMath.hasNonFinite(result.x), "\(name) \(sigmas)")
                    // dpm_adaptive walks between the positive levels: there must be two.
                    let walks = name != "dpm_adaptive" || sigmas.filter { $0 > 0 }.count > 1
                    #expect(walks ? reports > 0 : reports == 0, "\(name) \(sigmas)")
                }
            }
        }
    }

    /// A denoiser that costs nothing, to time the samplers' own arithmetic.
    final class NoDenoiser: Denoiser {
        let sampling: any ModelSampling = FluxSampling()
        func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor { x }
        func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
            (x, x)
        }
    }

    @Test func arithmeticIsCheap() throws {
        let shape: Shape = [1, 16, 128, 128]
        let noise = try RandomNoise(seed: 1).noise(for: Latent(samples: .zeros(shape)))
        let sigmas = try Schedule.sigmas("simple", sampling: FluxSampling(), steps: 10)
        let clock = ContinuousClock()
        for sampler in Samplers.all where sampler.name != "dpm_adaptive" {
            let time = try clock.measure {
                _ = try sampler.sample(
                    NoDenoiser(), x: noise, sigmas: sigmas, seed: 1, noise: noise, latent: noise, onStep: { _ in })
            }
            // Brownian noise draws some twenty fields of normal numbers per evaluation. The limits are wide because
            // the machine may be busy; alone it takes a fifth.
            #expect(time / 10 < .milliseconds(sampler.name.contains("sde") ? 600 : 100), "\(sampler.name)")
        }
    }
}

extension GaussianDenoiser {
    /// A start distributed like the noisy pictures at σ.
    static func start(_ denoiser: GaussianDenoiser, noise: [Float], sigma: Float) -> [Float] {
        let keep = denoiser.sampling.isFlow ? 1 - sigma : 1
        let spread = (keep * keep * denoiser.deviation * denoiser.deviation + sigma * sigma).squareRoot()
        return noise.map { keep * denoiser.mean + spread * $0 }
    }
}
