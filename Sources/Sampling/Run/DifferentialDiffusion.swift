import Diffusion
import Tensors

/// `DifferentialDiffusion` (Levin and Fried 2023): a soft mask says from which part of the run on a place may change
/// (spec: families-unet-sampling.md §11.2).
public enum DifferentialDiffusion {
    /// The mask in each call: 1 where m ≥ (ts(σ) − ts(σ_end)) / (ts(σ₀) − ts(σ_end)). For ``NoiseMaskFunction``.
    public static let mask: NoiseMaskFunction.Value = { inputs in
        let sampling = inputs.sampling
        let first = inputs.sigmas.first ?? sampling.sigmaMax
        let end = max(inputs.sigmas.last ?? 0, sampling.sigmaMin)
        let (start, stop) = (sampling.timestep(first), sampling.timestep(end))
        let threshold = (sampling.timestep(inputs.sigma) - stop) / (start - stop)
        return try Elementwise.map(inputs.mask) { $0 >= threshold ? 1 : 0 }
    }
}
