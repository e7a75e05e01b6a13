import Diffusion
import Foundation
import JSON
import NodeKit
import Tensors
import Testing

@testable import XFluxNodes

/// A network that predicts the first number of the conditioning everywhere, plus its control's, and notes LoRA keys.
private struct ConstantNetwork: DiffusionNetwork {
    var strengths: [String: Float] = [:]
    var family: String { "FLUX.1 dev" }
    var latentFormat: LatentFormat { LatentFormat(channels: 16, scale: 0.5, shift: 0.25) }
    var sampling: any ModelSampling { TestFlow() }

    func callAsFunction(_ call: NetworkCall, on backend: any Backend) throws -> Tensor {
        let control = try call.control?.residual("double", 0)?.floats().first ?? 0
        return try .full(call.x.shape, call.entry.context.floats()[0] + control)
    }
    func adding(lora: NamedTensors, strength: Float) throws -> (network: any DiffusionNetwork, report: LoRAReport) {
        var copy = self
        let used = Set(lora.tensors.keys.filter { $0.hasPrefix("diffusion_model.") || $0.hasPrefix("net.") })
        for key in used { copy.strengths[key, default: 0] += strength }
        return (copy, LoRAReport(used: used, changedWeights: used.count))
    }
}

/// A flow without shift.
private struct TestFlow: ModelSampling {
    var table: [Float] { [0, 1] }
    var isFlow: Bool { true }
    func timestep(_ sigma: Float) -> Float { sigma }
    func sigma(timestep: Float) -> Float { timestep }
    func percentToSigma(_ percent: Double) -> Double { 1 - percent }
    func networkTime(_ sigma: Float) -> Float { sigma }
    func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor { x }
    func denoised(_ x: Tensor, output: Tensor, sigma: Float) throws -> Tensor { x }
    func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor { noise }
    func finish(_ x: Tensor, lastSigma: Float) throws -> Tensor { x }
}

private struct TestEncoder: TextEncoder {
    var strengths: [String: Float] = [:]
    var family: String { "test encoder" }
    func encode(_ prompt: PromptText, on backend: any Backend, warn: (String) -> Void) throws -> ConditioningEntry {
        ConditioningEntry(context: try .zeros([1, 1, 1]))
    }
    func adding(lora: NamedTensors, strength: Float) throws -> (encoder: any TextEncoder, report: LoRAReport) {
        var copy = self
        let used = Set(lora.tensors.keys.filter { $0.hasPrefix("clip.") })
        for key in used { copy.strengths[key, default: 0] += strength }
        return (copy, LoRAReport(used: used, changedWeights: used.count))
    }
    func stoppingAt(layer: Int) -> any TextEncoder { self }
}

struct ModelNodeTests {
    private let model = DiffusionModel(network: ConstantNetwork())
    private let clip = TextEncoderValue(TestEncoder())

    private func strengths(_ results: [[any NodeValue]]) throws -> (model: [String: Float], clip: [String: Float]) {
        let network = (results[0].first as? DiffusionModel)?.network as? ConstantNetwork
        let encoder = (results[1].first as? TextEncoderValue)?.encoder as? TestEncoder
        return (try #require(network).strengths, try #require(encoder).strengths)
    }

    private func installation() throws -> Installation {
        let installation = try Installation()
        try installation.add("loras", "a.safetensors", keys: ["net.a", "clip.a"])
        try installation.add("loras", "b.safetensors", keys: ["net.b", "clip.b"])
        return installation
    }

    @Test func loraStacks() async throws {
        let context = try installation().context()
        let first = try await call(
            "CR LoRA Stack",
            [
                "switch_1": "On", "lora_name_1": "a.safetensors", "model_weight_1": 0.5, "clip_weight_1": 0.25,
                "switch_2": "Off", "lora_name_2": "b.safetensors", "switch_3": "On", "lora_name_3": "None",
            ], context)
        let second = try await call(
            "CR LoRA Stack",
            [
                "switch_1": "Off", "lora_name_1": "None", "switch_2": "Off", "lora_name_2": "None", "switch_3": "On",
                "lora_name_3": "b.safetensors", "lora_stack": try #require(first[0].first),
            ], context)
        let applied = try await call(
            "CR Apply LoRA Stack", ["model": model, "clip": clip, "lora_stack": try #require(second[0].first)], context)
        #expect(try strengths(applied).model == ["net.a": 0.5, "net.b": 1])
        #expect(try strengths(applied).clip == ["clip.a": 0.25, "clip.b": 1])
        let none = try await call("CR Apply LoRA Stack", ["model": model, "clip": clip], context)
        #expect(try strengths(none).model.isEmpty)
        let one = try await call(
            "CR Load LoRA", ["model": model, "clip": clip, "lora_name": "a.safetensors", "strength_clip": 0.0], context)
        #expect(try strengths(one).model == ["net.a": 1] && strengths(one).clip.isEmpty)
        let off = try await call(
            "CR Load LoRA", ["model": model, "clip": clip, "switch": "Off", "lora_name": "a.safetensors"], context)
        #expect(try strengths(off).model.isEmpty)
    }

    @Test func otherLoRALoaders() async throws {
        let context = try installation().context()
        let stack = try await call(
            "Lora Loader Stack (rgthree)",
            [
                "model": model, "clip": clip, "lora_01": "None", "lora_02": "b.safetensors", "strength_02": 0.75,
                "lora_03": "None", "lora_04": "None",
            ], context)
        #expect(try strengths(stack).clip == ["clip.b": 0.75])
        let stacked = try await call(
            "LoRA Stacker",
            [
                "lora_count": 2, "lora_name_1": "None", "lora_name_2": "a.safetensors", "lora_wt_2": 0.5,
                "lora_name_3": "b.safetensors",
            ], context)
        let applied = try await call(
            "CR Apply LoRA Stack", ["model": model, "clip": clip, "lora_stack": try #require(stacked[0].first)], context
        )
        #expect(try strengths(applied).model == ["net.a": 0.5])
        let object = JSONNodeValue(["content": "a.safetensors", "image": .null])
        let pictured = try await call(
            "LoraLoader|pysssss", ["model": model, "clip": clip, "lora_name": object, "strength_model": 0.5], context)
        #expect(try strengths(pictured).model == ["net.a": 0.5])
        let judge = try #require(try definition("LoraLoader|pysssss").validator)
        #expect(try await judge.validate(["lora_name": [object]], received: [:], context.files) == nil)
        #expect(
            try await judge.validate(["lora_name": ["c.safetensors"]], received: [:], context.files)?
                .contains("c.safetensors") == true)
        let passed = try await call("VixDynamicLoraDefinition", ["model": model, "clip": clip])
        #expect(try strengths(passed).model.isEmpty)
        #expect(
            try await result("OverrideCLIPDevice", ["clip": clip, "device": "cuda:1"], as: TextEncoderValue.self)
                .encoder.family == "test encoder")
    }

    @Test func powerLoraLoader() async throws {
        let installation = try installation()
        func row(_ name: String, _ isOn: Bool, _ strength: Double, _ two: Double?) -> JSON {
            [
                "on": .bool(isOn), "lora": .string(name), "strength": .double(strength),
                "strengthTwo": two.map { .double($0) } ?? .null,
            ]
        }
        let prompt: JSON = [
            "7": [
                "inputs": [
                    "PowerLoraLoaderHeaderWidget": ["type": "PowerLoraLoaderHeaderWidget"],
                    "lora_1": row("folder/a", true, 0.5, nil), "LORA_2": row("b.safetensors", true, 0, 0.25),
                    "lora_3": row("b.safetensors", false, 1, 1), "lora_4": row("missing", true, 1, nil),
                    "➕ Add Lora": "",
                ]
            ]
        ]
        let context = installation.context(prompt: prompt)
        let results = try await call("Power Lora Loader (rgthree)", ["model": model, "clip": clip], context)
        #expect(try strengths(results).model == ["net.a": 0.5])
        #expect(try strengths(results).clip == ["clip.a": 0.5, "clip.b": 0.25])
        #expect(installation.warnings.contains { $0.contains("missing") })
        let alone = try await call("Power Lora Loader (rgthree)", ["model": model], context)
        #expect(alone[1].first is NoValue)
        let definition = try definition("Power Lora Loader (rgthree)")
        #expect(try definition.fingerprint([:], context)?.contains("folder/a 0.5 0.5") == true)
    }

    @Test func xlabsLoRA() async throws {
        let installation = try Installation()
        try installation.add(
            "xlabs/loras", "anime.safetensors",
            keys: [
                "double_blocks.3.processor.qkv_lora1.down.weight", "double_blocks.3.processor.proj_lora2.up.weight",
                "other",
            ])
        let changed: DiffusionModel = try await result(
            "FluxLoraLoader", ["model": model, "lora_name": "anime.safetensors", "strength_model": 0.5],
            installation.context())
        #expect(
            (changed.network as? ConstantNetwork)?.strengths == [
                "diffusion_model.double_blocks.3.img_attn.qkv.lora_down.weight": 0.5,
                "diffusion_model.double_blocks.3.txt_attn.proj.lora_up.weight": 0.5,
            ])
        #expect(installation.warnings.contains { $0.contains("\"other\"") })
    }

    @Test func xlabsSchedule() {
        // By hand: 4 steps at 4096 tokens, μ = 1.15, e^1.15 = 3.15819.
        let times = XLabsSchedule.times(steps: 4, tokens: 4096)
        for (time, expected) in zip(times, [1, 0.904531, 0.759511, 0.512844, 0] as [Float]) {
            #expect(abs(time - expected) < 1e-5)
        }
        let numbers = (0...10).map { Float($0) }
        #expect(XLabsSchedule.part(of: numbers, denoise: 0.5, imageStrength: 0) == [0, 1, 2, 3, 4])
        #expect(XLabsSchedule.part(of: numbers, denoise: 1, imageStrength: 0.25) == [8, 9, 10])
        #expect(XLabsSchedule.part(of: numbers, denoise: 1, imageStrength: 1) == numbers)
        #expect(XLabsSchedule.part(of: numbers, denoise: 0, imageStrength: 0).isEmpty)
    }

    /// With a constant velocity v the latent goes from the noise n to n − v, whatever the steps.
    @Test func xlabsSampler() async throws {
        func conditioning(_ value: Float) throws -> ConditioningValue {
            ConditioningValue([ConditioningEntry(context: try .full([1, 1, 1], value))])
        }
        func sample(_ more: [String: any NodeValue]) async throws -> [Float] {
            var inputs: [String: any NodeValue] = [
                "model": model, "conditioning": try conditioning(2), "neg_conditioning": try conditioning(1),
                "steps": 4,
                "latent_image": Latent(samples: try .zeros([1, 4, 5, 4])), "noise_seed": UInt64(3),
            ]
            inputs.merge(more) { $1 }
            let latent: Latent = try await result("XlabsSampler", inputs)
            #expect(latent.samples.shape == [1, 16, 4, 4])
            return try latent.samples.floats()
        }
        // Scale 0.5 and shift 0.25: a difference of 2 in the network's space is 4 in the latent.
        let plain = try await sample([:])
        let guided = try await sample(["timestep_to_start_cfg": 0, "true_gs": 3.0])
        // 1 + 3 · (2 − 1) = 4 instead of 2.
        #expect(zip(plain, guided).allSatisfy { abs($0 - $1 - 4) < 1e-4 })
        // From step 2 of 4 on; 16 pixels a token: 4 tokens, μ = 0.5 + 0.65 · (4 − 256) / 3840.
        let late = try await sample(["timestep_to_start_cfg": 2, "true_gs": 3.0])
        let mu = 0.5 + 0.65 * (4.0 - 256) / 3840
        let half = Float(exp(mu) / (exp(mu) + 1))
        #expect(zip(plain, late).allSatisfy { abs($0 - $1 - 4 * half) < 1e-4 })
        // From a picture at full strength: the first time is 1, so only the noise is left of it.
        let picture = Latent(samples: try .full([1, 16, 4, 4], 3))
        let again = try await sample(["latent_image": picture, "image_to_image_strength": 1.0])
        #expect(zip(plain, again).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(
            await failure(
                "XlabsSampler",
                ["model": model, "conditioning": try! conditioning(1), "neg_conditioning": try! conditioning(1)]
            ).contains("latent_image"))
    }

    @Test func xlabsControlNetsAreRefusedWithAReason() async throws {
        let installation = try Installation()
        try installation.add("xlabs/controlnets", "depth.safetensors", keys: ["input_hint_block.0.weight"])
        let message = await failure(
            "LoadFluxControlNet", ["controlnet_path": "depth.safetensors"], installation.context())
        #expect(message.contains("depth.safetensors"))
        let entry = XLabsControlCondition.Entry(
            control: ControlNet(network: RefusingControl()), image: try .zeros([1, 8, 8, 3]), strength: 1, start: 0.25,
            end: 0.5)
        #expect((0..<8).map { entry.isActive(in: $0, of: 8) } == [false, false, true, true, true, false, false, false])
    }
}

private struct RefusingControl: ControlNetwork {
    var family: String { "none" }
    var needsAutoencoder: Bool { false }
    var extraHintChannels: Int { 0 }
    func prepare(
        _ attachment: ControlAttachment, for geometry: RunGeometry, latentFormat: LatentFormat, on backend: any Backend
    ) throws -> any PreparedControl { throw NodeError("not in this test") }
}
