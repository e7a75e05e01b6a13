import Diffusion
import NodeKit
import Sampling

extension NodeContext {
    /// One sampling run that reports every step, stops when the user asks for it, and goes on where an interrupted one
    /// ended.
    ///
    /// - Parameter seed: of the sampler's own noise; the noise source's if not given.
    func sample(
        _ guider: any Guider, noise: any NoiseSource, sampler: any Sampler, sigmas: [Float], latent: Latent,
        seed: UInt64? = nil
    ) throws -> SamplingResult {
        try checkCancellation()
        let previews = StepPreviews(self, guider.model)
        guard guider.model[RemembersEvaluations.self] != true, let journal = journal("sampling") else {
            return try SamplingRun.sample(
                guider, noise: noise, sampler: sampler, sigmas: sigmas, latent: latent, seed: seed, on: backend
            ) { step in
                progress(step.step, of: step.total)
                previews?.show(step)
                try checkCancellation()
            }
        }
        var reached = 0
        var total = max(sigmas.count - 1, 0)
        let kept = journal.count
        let tape = SamplingTape(journal) { fits in
            if !fits {
                warn("an interrupted run's steps, or the last of them, do not fit this one: they are computed anew")
            }
            if reached > 0 { resume(reached, total) }
        }
        let result = try SamplingRun.sample(
            TapedGuider(guider, tape), noise: noise, sampler: sampler, sigmas: sigmas, latent: latent, seed: seed,
            on: backend
        ) { step in
            (reached, total) = (step.step, step.total)
            if !tape.isReplaying {
                progress(step.step, of: step.total)
                previews?.show(step)
            }
            try checkCancellation()
        }
        // Interrupted after the last step, when another node was at work.
        if kept > 0 && tape.isReplaying { resume(reached, total) }
        return result
    }

    private func resume(_ done: Int, _ total: Int) {
        resumed(after: done, of: total)
        progress(done, of: total)
    }
}
