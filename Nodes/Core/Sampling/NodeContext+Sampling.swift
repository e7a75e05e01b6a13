import Diffusion
import NodeKit
import Sampling

extension NodeContext {
    /// One sampling run that reports every step and stops when the user asks for it.
    func sample(
        _ guider: any Guider, noise: any NoiseSource, sampler: any Sampler, sigmas: [Float], latent: Latent
    ) throws -> SamplingResult {
        try checkCancellation()
        return try SamplingRun.sample(
            guider, noise: noise, sampler: sampler, sigmas: sigmas, latent: latent, on: backend
        ) { step in
            progress(step.step, of: step.total)
            try checkCancellation()
        }
    }
}
