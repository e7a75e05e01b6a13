public import Diffusion
public import Tensors

/// What a run gives.
public struct SamplingResult: Sendable {
    /// The sampler's result in the VAE's units, with the input's other fields.
    public var output: Latent
    /// The last denoised estimate (`denoised_output` of `SamplerCustomAdvanced`), in the VAE's units.
    public var denoised: Latent
}

/// One sampling run from latent to latent (spec: families-unet-sampling.md §11).
public enum SamplingRun {
    /// Samples.
    ///
    /// - Parameters:
    ///   - sigmas: descending noise levels. None at all: the latent is returned as it is; one: only noise is added.
    ///   - seed: of the sampler's own noise; the noise source's if not given.
    ///   - onStep: called after every step; what it throws ends the run.
    /// - Throws: ``SamplingError`` for latents, masks and schedules that do not fit, and for NaN, wherever it first
    ///   appears; what the network, the noise source and `onStep` throw.
    public static func sample(
        _ guider: any Guider, noise: any NoiseSource, sampler: any Sampler, sigmas: [Float], latent: Latent,
        seed: UInt64? = nil, on backend: any Backend, onStep: (SamplingStep) throws -> Void = { _ in }
    ) throws -> SamplingResult {
        let seed = seed ?? noise.seed
        let sampling = guider.model.sampling
        let format = guider.model.network.latentFormat
        var latent = latent
        latent.samples = try fitted(latent.samples, to: guider.model.network)
        guard let first = sigmas.first, let last = sigmas.last else {
            return SamplingResult(output: latent, denoised: latent)
        }
        guard sigmas.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw SamplingError(
                .schedule, "the schedule has noise levels that are no numbers of 0 or more: \(sigmas)")
        }

        let initialNoise = try noise.noise(for: latent)
        guard initialNoise.shape == latent.samples.shape else {
            throw SamplingError(
                .shape, "the noise has the shape \(initialNoise.shape), the latent \(latent.samples.shape)")
        }
        let start = try HostMath.isZero(latent.samples) ? latent.samples : format.toModel(latent.samples)
        let shape = start.shape
        let mask = try latent.noiseMask.map {
            try HostMath.cycleBatch(NoiseMask.resized($0, rows: shape[2], columns: shape[3]), to: shape[0])
        }
        var geometry = RunGeometry(latentShape: shape, latent: start, noiseMask: mask, sampling: sampling)
        geometry.seed = seed
        var denoiser = try guider.denoiser(for: geometry, on: backend)
        if let mask {
            var maskNoise = initialNoise
            if (sampler as? any MaskNoiseRedrawing)?.redrawsMaskNoise == true {
                var generator = TorchGenerator(seed: seed &+ 1)
                maskNoise = try generator.normal(shape)
            }
            denoiser = MaskedDenoiser(
                denoiser, mask: try NoiseMask.spread(mask, to: shape), latent: start, noise: maskNoise,
                sigmas: sigmas, function: guider.model[NoiseMaskFunction.self])
        }

        let x = try sampling.noisy(
            start, noise: initialNoise, sigma: first, full: sampling.isFullRun(from: first))
        var lastDenoised: Tensor?
        let reached =
            sigmas.count == 1
            ? (x: x, lastSigma: last)
            : try sampler.sample(
                denoiser, x: x, sigmas: sigmas, seed: seed, noise: initialNoise, latent: start,
                onStep: { step in
                    try checkFinite(
                        step.denoised, "step \(step.step) of \(step.total) (σ = \(step.sigma)) of \(sampler.name)")
                    lastDenoised = step.denoised
                    try onStep(step)
                })
        let finished = try sampling.finish(reached.x, lastSigma: reached.lastSigma)
        try checkFinite(finished, "the last step of \(sampler.name)")

        var output = latent
        output.samples = try format.fromModel(finished)
        var denoised = output
        if let lastDenoised { denoised.samples = try format.fromModel(lastDenoised) }
        return SamplingResult(output: output, denoised: denoised)
    }

    /// The latent as the network takes it: an all-zero latent gets the network's number of channels.
    private static func fitted(_ samples: Tensor, to network: any DiffusionNetwork) throws -> Tensor {
        let channels = network.latentFormat.channels
        let shape = samples.shape
        guard shape.rank == 4, shape.count > 0 else {
            throw SamplingError(
                .shape, "a latent has the shape [batch, channels, h, w] with at least one element; found \(shape)")
        }
        guard try !HostMath.hasNonFinite(samples) else {
            throw SamplingError(
                .notFinite, "the input latent has NaN or infinite numbers; the node that made it failed silently")
        }
        if shape[1] == channels { return try samples.asFloat32() }
        guard try HostMath.isZero(samples) else {
            throw SamplingError(
                .shape,
                "the latent has \(shape[1]) channels, \(network.family) takes \(channels): it was made for another "
                    + "model family or with another VAE")
        }
        return try Tensor.zeros(shape.replacing(1, with: channels))
    }

    private static func checkFinite(_ x: Tensor, _ place: String) throws {
        guard try HostMath.hasNonFinite(x) else { return }
        throw SamplingError(
            .notFinite,
            "NaN or infinite numbers appeared at \(place); try another precision, sampler or schedule, or lower "
                + "guidance and LoRA strengths")
    }
}

extension ModelSampling {
    /// Whether a run from σ starts at (or above) the top of the table, so that the latent is pure noise.
    public func isFullRun(from sigma: Float) -> Bool {
        let (top, start) = (Double(sigmaMax), Double(sigma))
        return start > top || abs(start - top) <= 1e-5 * max(abs(start), abs(top))
    }
}

/// A sampler under which the masked-out part gets noise of its own, drawn with the run's seed + 1 (`ddim`).
protocol MaskNoiseRedrawing: Sampler {
    var redrawsMaskNoise: Bool { get }
}
