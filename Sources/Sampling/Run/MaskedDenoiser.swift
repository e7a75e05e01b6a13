import Diffusion
import Tensors

/// D under a noise mask m: where the mask is 0 the network sees the noisy original, and the answer is the original
/// (spec: families-unet-sampling.md §11.2).
final class MaskedDenoiser: Denoiser {
    private let inner: any Denoiser
    /// `[batch, channels, h, w]`.
    private let mask: Tensor
    private let latent: Tensor
    private let noise: Tensor
    private let sigmas: [Float]
    private let function: NoiseMaskFunction.Value?

    /// - Parameters:
    ///   - latent: the run's starting latent in model units.
    ///   - noise: what the original is noised with.
    init(
        _ inner: any Denoiser, mask: Tensor, latent: Tensor, noise: Tensor, sigmas: [Float],
        function: NoiseMaskFunction.Value?
    ) {
        self.inner = inner
        self.mask = mask
        self.latent = latent
        self.noise = noise
        self.sigmas = sigmas
        self.function = function
    }

    var sampling: any ModelSampling { inner.sampling }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        let mask = try currentMask(sigma)
        return try restored(inner(visible(x, sigma, mask), sigma), mask)
    }

    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        let mask = try currentMask(sigma)
        let (denoised, unconditional) = try inner.withUnconditional(visible(x, sigma, mask), sigma)
        return (try restored(denoised, mask), unconditional)
    }

    private func currentMask(_ sigma: Float) throws -> Tensor {
        guard let function else { return mask }
        return try function(NoiseMaskInputs(mask: mask, sigma: sigma, sigmas: sigmas, sampling: sampling))
    }

    private func visible(_ x: Tensor, _ sigma: Float, _ mask: Tensor) throws -> Tensor {
        let original = try sampling.noisy(latent, noise: noise, sigma: sigma, full: false)
        return try Elementwise.zip(x, original, mask) { $0 * $2 + $1 * (1 - $2) }
    }

    private func restored(_ denoised: Tensor, _ mask: Tensor) throws -> Tensor {
        try Elementwise.zip(denoised, latent, mask) { $0 * $2 + $1 * (1 - $2) }
    }
}
