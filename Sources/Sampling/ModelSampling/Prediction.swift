import Tensors

/// What the network of a variance-exploding model predicts (spec: families-unet-sampling.md §9). F is its output.
public enum Prediction: Sendable, Hashable {
    /// The noise: D = x − σF.
    case epsilon
    /// The velocity of Salimans and Ho 2022: D = x/(σ² + 1) − Fσ/√(σ² + 1).
    case velocity
    /// The picture itself: D = F.
    case sample
    /// The picture itself, from x as it is: D = F (He et al. 2024, Lotus: one step from picture to picture).
    case imageToImage
    /// Karras et al. 2022 with the data's standard deviation s: D = x·s²/(σ² + s²) + F·σs/√(σ² + s²).
    case edm(dataDeviation: Float)
    /// Luo et al. 2023, latent consistency models: D = c_out·(x − σF) + c_skip·x at the scaled time τ = 10·timestep.
    case consistency

    private var dataDeviation: Float {
        if case .edm(let deviation) = self { deviation } else { 1 }
    }

    /// x / √(σ² + s²).
    func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor {
        if self == .imageToImage { return x }
        let deviation = dataDeviation
        let scale = (sigma * sigma + deviation * deviation).squareRoot()
        return try Elementwise.map(x) { $0 / scale }
    }

    func denoised(_ x: Tensor, output: Tensor, sigma: Float, timestep: Float) throws -> Tensor {
        let variance = sigma * sigma
        switch self {
        case .epsilon:
            return try Elementwise.zip(x, output) { $0 - $1 * sigma }
        case .velocity:
            let total = variance + 1
            let root = total.squareRoot()
            return try Elementwise.zip(x, output) { $0 / total - $1 * sigma / root }
        case .sample, .imageToImage:
            return output
        case .edm(let deviation):
            let total = variance + deviation * deviation
            let root = total.squareRoot()
            let keep = deviation * deviation
            return try Elementwise.zip(x, output) { $0 * keep / total + $1 * sigma * deviation / root }
        case .consistency:
            let scaled = timestep * 10
            let keep = 0.25 / (scaled * scaled + 0.25)
            let out = scaled / (scaled * scaled + 0.25).squareRoot()
            return try Elementwise.zip(x, output) { out * ($0 - $1 * sigma) + keep * $0 }
        }
    }

    /// latent + σ·noise, or latent + √(1 + σ²)·noise for a full run.
    func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor {
        let scale = full ? (1 + sigma * sigma).squareRoot() : sigma
        return try Elementwise.zip(noise, latent) { $0 * scale + $1 }
    }
}
