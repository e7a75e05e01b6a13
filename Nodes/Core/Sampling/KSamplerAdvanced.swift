import Diffusion
import JSON
import NodeKit
import Sampling

/// A part of a run: from one step to another, with or without noise at the start and the end
/// (families-unet-sampling.md §11.1).
struct KSamplerAdvanced: SamplerChoosing {
    static let info = NodeInfo(
        "KSamplerAdvanced", displayName: "KSampler (Advanced)", category: "sampling", work: .sampling)

    @Input var model: DiffusionModel
    @Input(.choices(["enable", "disable"])) var addNoise: String
    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var noiseSeed: UInt64 = 0
    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfg = 8.0
    @Input(samplerChoices) var samplerName: String
    @Input(schedulerChoices) var scheduler: String
    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var latentImage: Latent
    @Input(.range(0...10000)) var startAtStep = 0
    @Input(.range(0...10000)) var endAtStep = 10000
    @Input(.choices(["disable", "enable"])) var returnWithLeftoverNoise: String
    @Output var latent: Latent

    var chosenSampler: String? { $samplerName.isGiven ? samplerName : nil }

    func run(_ context: NodeContext) async throws {
        let sampler = try Samplers.named(samplerName)
        let sigmas = Schedule.part(
            try Schedule.sigmas(scheduler, sampling: model.sampling, steps: steps, forSampler: samplerName),
            from: startAtStep, to: endAtStep, returnsLeftoverNoise: returnWithLeftoverNoise == "enable")
        let guider = CFGGuider(model: model, positive: positive.entries, negative: negative.entries, cfg: cfg)
        let noise: any NoiseSource = addNoise == "disable" ? DisableNoise() : RandomNoise(seed: noiseSeed)
        latent = try context.sample(
            guider, noise: noise, sampler: sampler, sigmas: sigmas, latent: latentImage, seed: noiseSeed
        ).output
    }
}
