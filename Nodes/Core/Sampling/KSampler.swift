import Diffusion
import JSON
import NodeKit
import Sampling

/// The usual sampler: noise from a seed, a named schedule, classifier-free guidance (families-unet-sampling.md §11).
struct KSampler: SamplerChoosing {
    static let info = NodeInfo(
        "KSampler", displayName: "KSampler", category: "sampling",
        description: "Turns noise into the latent of a picture, step by step.", work: .sampling)

    @Input(.tooltip("The model that removes the noise.")) var model: DiffusionModel
    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate, .tooltip("Number that the noise is made from."))
    var seed: UInt64 = 0
    @Input(.range(1...10000), .tooltip("How many steps from noise to picture.")) var steps = 20
    @Input(
        .range(0.0...100.0), .step(0.1), .round(0.01),
        .tooltip("How strongly the positive prompt is preferred to the negative; 1 skips the negative."))
    var cfg = 8.0
    @Input(samplerChoices, .tooltip("The way from noise to picture.")) var samplerName: String
    @Input(schedulerChoices, .tooltip("How the noise falls from step to step.")) var scheduler: String
    @Input(.tooltip("What the picture should show.")) var positive: ConditioningValue
    @Input(.tooltip("What it should not show.")) var negative: ConditioningValue
    @Input(.tooltip("The start of the picture.")) var latentImage: Latent
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Below 1 a part of the start remains.")) var denoise = 1.0
    @Output var latent: Latent

    var chosenSampler: String? { $samplerName.isGiven ? samplerName : nil }

    func run(_ context: NodeContext) async throws {
        let sampler = try Samplers.named(samplerName)
        let sigmas = try Schedule.sigmas(
            scheduler, sampling: model.sampling, steps: steps, denoise: denoise, forSampler: samplerName)
        let guider = CFGGuider(model: model, positive: positive.entries, negative: negative.entries, cfg: cfg)
        latent = try context.sample(
            guider, noise: RandomNoise(seed: seed), sampler: sampler, sigmas: sigmas, latent: latentImage
        ).output
    }
}
