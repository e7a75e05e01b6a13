import Diffusion
import JSON
import NodeKit
import Sampling

/// A sampler by name.
struct KSamplerSelect: SamplerChoosing {
    static let info = NodeInfo("KSamplerSelect", category: "sampling/custom_sampling/samplers")

    @Input(samplerChoices) var samplerName: String
    @Output var sampler: SamplerValue

    var chosenSampler: String? { $samplerName.isGiven ? samplerName : nil }

    func run(_ context: NodeContext) async throws { sampler = SamplerValue(try Samplers.named(samplerName)) }
}

/// A schedule by name (families-unet-sampling.md §10).
struct BasicScheduler: Node {
    static let info = NodeInfo("BasicScheduler", category: "sampling/custom_sampling/schedulers")

    @Input var model: DiffusionModel
    @Input(schedulerChoices) var scheduler: String
    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...1.0), .step(0.01)) var denoise = 1.0
    @Output var sigmas: Sigmas

    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas(
            try Schedule.sigmas(scheduler, sampling: model.sampling, steps: steps, denoise: denoise))
    }
}

/// Guidance by one conditioning alone.
struct BasicGuiderNode: Node {
    static let info = NodeInfo("BasicGuider", category: "sampling/custom_sampling/guiders")

    @Input var model: DiffusionModel
    @Input var conditioning: ConditioningValue
    @Output var guider: GuiderValue

    func run(_ context: NodeContext) async throws {
        guider = GuiderValue(BasicGuider(model: model, conditioning: conditioning.entries))
    }
}

/// Classifier-free guidance.
struct CFGGuiderNode: Node {
    static let info = NodeInfo("CFGGuider", category: "sampling/custom_sampling/guiders")

    @Input var model: DiffusionModel
    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfg = 8.0
    @Output var guider: GuiderValue

    func run(_ context: NodeContext) async throws {
        guider = GuiderValue(
            CFGGuider(model: model, positive: positive.entries, negative: negative.entries, cfg: cfg))
    }
}

/// Noise from a seed.
struct RandomNoiseNode: Node {
    static let info = NodeInfo("RandomNoise", category: "sampling/custom_sampling/noise")

    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var noiseSeed: UInt64 = 0
    @Output var noise: NoiseValue

    func run(_ context: NodeContext) async throws { noise = NoiseValue(RandomNoise(seed: noiseSeed)) }
}

/// No noise.
struct DisableNoiseNode: Node {
    static let info = NodeInfo("DisableNoise", category: "sampling/custom_sampling/noise")

    @Output var noise: NoiseValue

    func run(_ context: NodeContext) async throws { noise = NoiseValue(DisableNoise()) }
}

/// A run made of its parts.
struct SamplerCustomAdvanced: Node {
    static let info = NodeInfo("SamplerCustomAdvanced", category: "sampling/custom_sampling", work: .sampling)

    @Input var noise: NoiseValue
    @Input var guider: GuiderValue
    @Input var sampler: SamplerValue
    @Input var sigmas: Sigmas
    @Input var latentImage: Latent
    @Output("output") var output: Latent
    @Output("denoised_output") var denoised: Latent

    func run(_ context: NodeContext) async throws {
        let result = try context.sample(
            guider.guider, noise: noise.source, sampler: sampler.sampler, sigmas: sigmas.values, latent: latentImage)
        output = result.output
        denoised = result.denoised
    }
}
