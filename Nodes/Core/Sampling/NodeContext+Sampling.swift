import Diffusion
import NodeKit
import Sampling

extension NodeContext {
    /// One sampling run that reports every step and stops when the user asks for it.
    ///
    /// - Parameter seed: of the sampler's own noise; the noise source's if not given.
    func sample(
        _ guider: any Guider, noise: any NoiseSource, sampler: any Sampler, sigmas: [Float], latent: Latent,
        seed: UInt64? = nil
    ) throws -> SamplingResult {
        try checkCancellation()
        return try SamplingRun.sample(
            guider, noise: noise, sampler: sampler, sigmas: sigmas, latent: latent, seed: seed, on: backend
        ) { step in
            progress(step.step, of: step.total)
            try checkCancellation()
        }
    }
}
