public import Diffusion
import Glibc
public import Tensors

/// Models trained on continuous noise levels between two limits (Karras et al. 2022): the table has 1000 levels evenly
/// spaced in log σ (spec: families-unet-sampling.md §9).
public struct ContinuousSampling: ModelSampling {
    /// What the network gets as its time.
    public enum Time: Sendable, Hashable {
        /// ¼ ln σ (EDM).
        case quarterLogarithm
        /// atan(σ)·2/π (v prediction on a cosine schedule).
        case arcTangent
    }

    public let prediction: Prediction
    public let time: Time
    public let table: [Float]
    private let lowest: Double
    private let highest: Double

    /// - Throws: ``SamplingError/Code/parameter`` unless 0 < `sigmaMin` < `sigmaMax`.
    public init(prediction: Prediction, time: Time, sigmaMin: Double, sigmaMax: Double) throws(SamplingError) {
        guard sigmaMin > 0, sigmaMax > sigmaMin, sigmaMax.isFinite else {
            throw SamplingError(
                .parameter,
                "the noise levels of a continuous model must rise from above 0; found sigma_min \(sigmaMin) and "
                    + "sigma_max \(sigmaMax)")
        }
        self.prediction = prediction
        self.time = time
        table = linearSpace(Float(log(sigmaMin)), Float(log(sigmaMax)), 1000).map { exp($0) }
        lowest = log(Double(table[0]))
        highest = log(Double(table[table.count - 1]))
    }

    public var isFlow: Bool { false }

    public func timestep(_ sigma: Float) -> Float {
        switch time {
        case .quarterLogarithm: 0.25 * log(sigma)
        case .arcTangent: atan(sigma) / Float.pi * 2
        }
    }

    public func sigma(timestep: Float) -> Float {
        switch time {
        case .quarterLogarithm: exp(timestep / 0.25)
        case .arcTangent: tan(timestep * Float.pi / 2)
        }
    }

    public func percentToSigma(_ percent: Double) -> Double {
        if percent <= 0 { return 999_999_999.9 }
        if percent >= 1 { return 0 }
        return exp((highest - lowest) * (1 - percent) + lowest)
    }

    public func networkTime(_ sigma: Float) -> Float { timestep(sigma) }

    public func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor {
        try prediction.networkInput(x, sigma: sigma)
    }
    public func denoised(_ x: Tensor, output: Tensor, sigma: Float) throws -> Tensor {
        try prediction.denoised(x, output: output, sigma: sigma, timestep: timestep(sigma))
    }
    public func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor {
        try prediction.noisy(latent, noise: noise, sigma: sigma, full: full)
    }
    public func finish(_ x: Tensor, lastSigma: Float) throws -> Tensor { x }
}
