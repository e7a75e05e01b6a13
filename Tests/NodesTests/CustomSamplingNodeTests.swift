import Diffusion
import Foundation
import NodeKit
import Tensors
import Testing

@testable import Sampling

struct CustomSamplingNodeTests {
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

    private func advanced(_ latent: Latent, _ changes: [String: any NodeValue]) async throws -> Latent {
        let inputs: [String: any NodeValue] = [
            "model": model, "add_noise": "enable", "noise_seed": UInt64(7), "steps": 6, "cfg": 1.0,
            "sampler_name": "euler", "scheduler": "simple", "positive": try conditioning(),
            "negative": try conditioning(), "latent_image": latent, "start_at_step": 0, "end_at_step": 10000,
            "return_with_leftover_noise": "disable",
        ]
        return try await call("KSamplerAdvanced", inputs.merging(changes) { $1 }, context)
    }

    private func plain(_ latent: Latent) async throws -> Latent {
        try await call(
            "KSampler",
            [
                "model": model, "seed": UInt64(7), "steps": 6, "cfg": 1.0, "sampler_name": "euler",
                "scheduler": "simple", "positive": try conditioning(), "negative": try conditioning(),
                "latent_image": latent, "denoise": 1.0,
            ], context)
    }

    private func largestDifference(_ a: Latent, _ b: Latent) throws -> Float {
        zip(try a.samples.floats(), try b.samples.floats()).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    /// Two stages with the noise handed over are one run; so is a whole one.
    @Test func advancedStagesMakeOneRun() async throws {
        let empty = Latent(samples: try Tensor.zeros([1, 16, 2, 3]))
        let expected = try await plain(empty)
        #expect(try largestDifference(try await advanced(empty, [:]), expected) == 0)
        let first = try await advanced(empty, ["end_at_step": 3, "return_with_leftover_noise": "enable"])
        let second = try await advanced(first, ["add_noise": "disable", "start_at_step": 3])
        #expect(try largestDifference(second, expected) < 1e-5)
        // Without leftover noise the first stage ends in a picture: another one.
        let finished = try await advanced(empty, ["end_at_step": 3])
        #expect(try largestDifference(finished, first) > 1e-3)
        let unchanged = try await advanced(first, ["start_at_step": 6])
        #expect(try largestDifference(unchanged, first) == 0)
    }

    @Test func samplerCustom() async throws {
        let sigmas: Sigmas = try await call(
            "BasicScheduler", ["model": model, "scheduler": "simple", "steps": 6, "denoise": 1.0], context)
        let sampler: SamplerValue = try await call("KSamplerSelect", ["sampler_name": "euler"], context)
        let empty = Latent(samples: try Tensor.zeros([1, 16, 2, 3]))
        var inputs: [String: any NodeValue] = [
            "model": model, "add_noise": true, "noise_seed": UInt64(7), "cfg": 1.0, "positive": try conditioning(),
            "negative": try conditioning(), "sampler": sampler, "sigmas": sigmas, "latent_image": empty,
        ]
        let output: Latent = try await call("SamplerCustom", inputs, context)
        #expect(try largestDifference(output, try await plain(empty)) == 0)
        inputs["add_noise"] = false
        let silent: Latent = try await call("SamplerCustom", inputs, context)
        // Nothing times the network's strength, minus the latent format's shift: the same everywhere.
        #expect(try Set(silent.samples.floats()).count == 1)
    }

    /// Samplers made by their nodes with the usual numbers equal those of the names.
    @Test(
        arguments: [
            ("SamplerEulerAncestral", "euler_ancestral", [:]),
            ("SamplerEulerAncestralCFGPP", "euler_ancestral_cfg_pp", [:]), ("SamplerLMS", "lms", [:]),
            ("SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral", [:]),
            ("SamplerDPMPP_SDE", "dpmpp_sde", ["noise_device": "gpu"]),
            ("SamplerDPMPP_2M_SDE", "dpmpp_2m_sde", ["solver_type": "midpoint", "noise_device": "cpu"]),
            ("SamplerDPMPP_2M_SDE", "dpmpp_2m_sde_heun", ["solver_type": "heun", "noise_device": "cpu"]),
            ("SamplerDPMPP_3M_SDE", "dpmpp_3m_sde", ["noise_device": "cpu"]),
            ("SamplerDPMAdaptative", "dpm_adaptive", [:]), ("SamplerER_SDE", "er_sde", ["solver_type": "ER-SDE"]),
        ] as [(String, String, [String: String])])
    func samplerNodesEqualNames(node: String, name: String, texts: [String: String]) async throws {
        let schema = try definition(node).schema
        var inputs: [String: any NodeValue] = [:]
        for input in schema.inputs { inputs[input.name] = input.options["default"].map { JSONNodeValue($0) } }
        for (key, text) in texts { inputs[key] = text }
        let made: SamplerValue = try await call(node, inputs, context)
        #expect(try run(made.sampler) == run(Samplers.named(name)))
        // Another number gives another result.
        if schema.input(named: "eta") != nil && node != "SamplerER_SDE" && node != "SamplerDPMAdaptative" {
            inputs["eta"] = 0.25
            let other: SamplerValue = try await call(node, inputs, context)
            #expect(try run(other.sampler) != run(made.sampler))
        }
    }

    @Test func erSDEWithoutNoiseFollowsTheODE() async throws {
        func sampler(_ type: String, eta: Double) async throws -> any Sampler {
            try await call(
                "SamplerER_SDE", ["solver_type": type, "max_stage": 3, "eta": eta, "s_noise": 1.0], context,
                as: SamplerValue.self
            ).sampler
        }
        let ode = try run(await sampler("ODE", eta: 1))
        #expect(try run(await sampler("Reverse-time SDE", eta: 0)) == ode)
        #expect(try run(await sampler("Reverse-time SDE", eta: 1)) != ode)
    }

    private func run(_ sampler: any Sampler) throws -> [Float] {
        let entry = ConditioningEntry(context: try Tensor.zeros([1, 1, 1]))
        var network = StubNetwork(strength: 0.5)
        network.sampling = DiscreteSampling()
        let model = DiffusionModel(network: network)
        return try SamplingRun.sample(
            CFGGuider(model: model, positive: [entry], negative: [entry], cfg: 2), noise: RandomNoise(seed: 3),
            sampler: sampler, sigmas: [14, 6, 3, 1, 0.4, 0], latent: Latent(samples: Tensor.zeros([1, 16, 2, 3])),
            on: context.backend
        ).output.samples.floats()
    }

    /// The noise levels that go with the published training steps, as they are usually given, and the interpolation for
    /// another number of steps (numpy: exp of interp of logarithms).
    @Test func alignedSteps() async throws {
        func sigmas(_ model: String, _ steps: Int, _ denoise: Double = 1) async throws -> [Float] {
            try await call(
                "AlignYourStepsScheduler", ["model_type": model, "steps": steps, "denoise": denoise], context,
                as: Sigmas.self
            ).values
        }
        func isNear(_ a: [Float], _ b: [Float]) -> Bool {
            a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 6e-4 * max(1, abs($1)) }
        }
        #expect(
            isNear(
                try await sigmas("SD1", 10),
                [14.6146, 6.4746, 3.8637, 2.6946, 1.8842, 1.3944, 0.9643, 0.6524, 0.3977, 0.1515, 0]))
        #expect(
            isNear(
                try await sigmas("SDXL", 10),
                [14.6146, 6.3184, 3.7682, 2.1811, 1.3405, 0.8621, 0.5551, 0.3799, 0.2332, 0.1114, 0]))
        let video = try await sigmas("SVD", 4)
        #expect(isNear(video, [700, 11.257114, 1.789, 0.26404356, 0]), "\(video)")
        #expect(try await sigmas("SD1", 10, 0.34).count == 4)
        #expect(try await sigmas("SD1", 10, 0).isEmpty)
    }

    @Test func sigmaOperations() async throws {
        let sigmas = Sigmas([8, 4, 2, 1, 0])
        func values(_ id: String, _ inputs: [String: any NodeValue], output: Int = 0) async throws -> [Float] {
            try await call(id, ["sigmas": sigmas].merging(inputs) { $1 }, context, output: output, as: Sigmas.self)
                .values
        }
        #expect(try await values("SplitSigmas", ["step": 0]) == [8])
        #expect(try await values("SplitSigmas", ["step": 99]) == [8, 4, 2, 1, 0])
        #expect(try await values("SplitSigmas", ["step": 99], output: 1) == [])
        #expect(try await values("SplitSigmasDenoise", ["denoise": 0.0]) == [])
        #expect(try await values("SplitSigmasDenoise", ["denoise": 0.0], output: 1) == [0])
        #expect(try await values("SplitSigmasDenoise", ["denoise": 0.5], output: 1) == [2, 1, 0])
        #expect(try await values("SetFirstSigma", ["sigma": 9.5]) == [9.5, 4, 2, 1, 0])
        let extended: [String: any NodeValue] = [
            "steps": 2, "start_at_sigma": 4.0, "end_at_sigma": 2.0, "spacing": "linear",
        ]
        #expect(try await values("ExtendIntermediateSigmas", extended) == [8, 4, 3, 2, 1.5, 1, 0])
        let curved = try await values(
            "ExtendIntermediateSigmas", extended.merging(["spacing": "cosine", "start_at_sigma": -1.0]) { $1 })
        #expect(abs(curved[1] - (8 - 4 * Float(0.5).squareRoot())) < 1e-5 && curved.count == 8)
    }

    @Test func percentToSigma() async throws {
        func sigma(_ percent: Double, actual: Bool) async throws -> Double {
            try await call(
                "SamplingPercentToSigma",
                ["model": model, "sampling_percent": percent, "return_actual_sigma": actual], context)
        }
        #expect(try await sigma(0.3, actual: false) == model.sampling.percentToSigma(0.3))
        #expect(try await sigma(1, actual: false) == 0)
        #expect(try await sigma(1, actual: true) == Double(model.sampling.sigmaMin))
    }

    @Test func modelSampling() async throws {
        let sd3: DiffusionModel = try await call("ModelSamplingSD3", ["model": model, "shift": 2.5], context)
        #expect(sd3.sampling.table == FlowSampling(shift: 2.5, multiplier: 1000).table)
        #expect(sd3.sampling.networkTime(0.5) == 500)
        let aura: DiffusionModel = try await call("ModelSamplingAuraFlow", ["model": model, "shift": 2.5], context)
        #expect(aura.sampling.networkTime(0.5) == 0.5)
        let lcm: DiffusionModel = try await call(
            "ModelSamplingDiscrete", ["model": model, "sampling": "lcm", "zsnr": false], context)
        #expect(lcm.sampling.table.count == 50)
        let message = await failure {
            _ = try await call(
                "ModelSamplingDiscrete", ["model": model, "sampling": "flow", "zsnr": false], context)
        }
        #expect(message.contains("flow") && message.contains("v_prediction"))
        let edm: DiffusionModel = try await call(
            "ModelSamplingContinuousEDM",
            ["model": model, "sampling": "edm", "sigma_max": 80.0, "sigma_min": 0.002], context)
        #expect(abs(edm.sampling.sigmaMax - 80) < 1e-3 && edm.sampling.networkTime(1) == 0)
    }

    /// The mask decides when a place may change; with a strength below 1 it stays in part what it was.
    @Test func differentialDiffusion() async throws {
        for (strength, wanted) in [(1.0, [0, 1]), (0.25, [0.75 * 0.3, 0.25 + 0.75 * 0.6])] as [(Double, [Float])] {
            let patched: DiffusionModel = try await call(
                "DifferentialDiffusion", ["model": model, "strength": strength], context)
            let function = try #require(patched[NoiseMaskFunction.self])
            let mask = try function(
                NoiseMaskInputs(
                    mask: Tensor([0.3, 0.6], shape: [1, 1, 1, 2]), sigma: 0.5, sigmas: [1, 0.5, 0],
                    sampling: model.sampling))
            let values = try mask.floats()
            #expect(zip(values, wanted).allSatisfy { abs($0 - $1) < 1e-6 }, "\(values)")
        }
    }
}
