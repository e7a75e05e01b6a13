import Diffusion
import JSON
import NodeKit
import Sampling

/// A run with a sampler and a schedule of one's own.
struct SamplerCustom: Node {
    static let info = NodeInfo("SamplerCustom", category: "sampling/custom_sampling", work: .sampling)

    @Input var model: DiffusionModel
    @Input var addNoise = true
    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var noiseSeed: UInt64 = 0
    @Input(.range(0.0...100.0), .step(0.1), .round(0.01)) var cfg = 8.0
    @Input var positive: ConditioningValue
    @Input var negative: ConditioningValue
    @Input var sampler: SamplerValue
    @Input var sigmas: Sigmas
    @Input var latentImage: Latent
    @Output("output") var output: Latent
    @Output("denoised_output") var denoised: Latent

    func run(_ context: NodeContext) async throws {
        let guider = CFGGuider(model: model, positive: positive.entries, negative: negative.entries, cfg: cfg)
        let noise: any NoiseSource = addNoise ? RandomNoise(seed: noiseSeed) : DisableNoise()
        let run = try context.sample(
            guider, noise: noise, sampler: sampler.sampler, sigmas: sigmas.values, latent: latentImage, seed: noiseSeed)
        output = run.output
        denoised = run.denoised
    }
}
