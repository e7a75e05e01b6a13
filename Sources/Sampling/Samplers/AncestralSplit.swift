import Diffusion

/// A step to a noise level split into a deterministic step below it and fresh noise on top ("ancestral" sampling; Song
/// et al. 2021, Karras et al. 2022; spec: families-unet-sampling.md §14, A and F).
enum AncestralSplit {
    /// The part to step down to and the noise to add, for latent + σ·noise: down² + up² = to².
    static func varianceExploding(from: Float, to: Float, eta: Float) -> (down: Float, up: Float) {
        if eta == 0 { return (to, 0) }
        let root = (to * to * (from * from - to * to) / (from * from)).squareRoot()
        // Not a number for an infinite `from` (the cfg++ samplers on flow models at σ = 1): noise only.
        let up = root.isNaN ? to : min(to, eta * root)
        return ((to * to - up * up).squareRoot(), up)
    }

    /// For (1 − σ)·latent + σ·noise: after stepping to `down`, x is multiplied by `scale` and gets `renoise`·noise.
    static func flow(from: Float, to: Float, eta: Float) -> (down: Float, scale: Float, renoise: Float) {
        let down = to * (1 + (to / from - 1) * eta)
        let (keep, keepDown) = (1 - to, 1 - down)
        let variance = to * to - down * down * (keep * keep) / (keepDown * keepDown)
        return (down, keep / keepDown, variance.squareRoot())
    }
}
