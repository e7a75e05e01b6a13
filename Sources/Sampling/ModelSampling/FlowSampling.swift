public import Diffusion
import Glibc
public import Tensors

/// What all rectified-flow models share: x_σ = (1 − σ)·latent + σ·noise, the network predicts the velocity
/// noise − latent (Liu et al. 2022, "Flow Straight and Fast"; spec: families-unet-sampling.md §9).
public protocol FlowModelSampling: ModelSampling {
    /// The noise level at the unshifted time `u` in 0…1.
    func shifted(_ u: Double) -> Double
}

extension FlowModelSampling {
    public var isFlow: Bool { true }

    /// In double precision; 1 at the start of a run and before, 0 at its end and after.
    public func percentToSigma(_ percent: Double) -> Double {
        if percent <= 0 { return 1 }
        if percent >= 1 { return 0 }
        return shifted(1 - percent)
    }

    public func networkInput(_ x: Tensor, sigma: Float) throws -> Tensor { x }

    public func denoised(_ x: Tensor, output: Tensor, sigma: Float) throws -> Tensor {
        try Elementwise.zip(x, output) { $0 - $1 * sigma }
    }

    public func noisy(_ latent: Tensor, noise: Tensor, sigma: Float, full: Bool) throws -> Tensor {
        let keep = 1 - sigma
        return try Elementwise.zip(noise, latent) { sigma * $0 + keep * $1 }
    }

    public func finish(_ x: Tensor, lastSigma: Float) throws -> Tensor {
        let keep = 1 - lastSigma
        return keep == 1 ? x : try Elementwise.map(x) { $0 / keep }
    }
}

/// FLUX's resolution-dependent shift: σ(u) = e^μ / (e^μ + 1/u − 1), 10000 table entries; the network's time is σ.
public struct FluxSampling: FlowModelSampling {
    public let shift: Double
    public let table: [Float]

    /// - Parameter shift: μ; 1.15 for FLUX.1 dev.
    public init(shift: Double = 1.15) {
        self.shift = shift
        let count = 10_000
        table = (1...count).map { Self.sigma(Float($0) / Float(count), shift: shift) }
    }

    /// `ModelSamplingFlux`: μ linear in the number of tokens of a width × height picture (256 pixels each), from
    /// `baseShift` at 256 tokens to `maxShift` at 4096; not clamped.
    public init(maxShift: Double, baseShift: Double, width: Int, height: Int) {
        let slope = (maxShift - baseShift) / (4096 - 256)
        self.init(shift: Double(width) * Double(height) / 256 * slope + (baseShift - slope * 256))
    }

    public func timestep(_ sigma: Float) -> Float { sigma }
    public func sigma(timestep: Float) -> Float { Self.sigma(timestep, shift: shift) }
    public func networkTime(_ sigma: Float) -> Float { sigma }

    public func shifted(_ u: Double) -> Double {
        let scale = exp(shift)
        return scale / (scale + (1 / u - 1))
    }

    /// float32, with the reference's reciprocal instead of a division.
    private static func sigma(_ u: Float, shift: Double) -> Float {
        let scale = Float(exp(shift))
        return 1 / (scale + (1 / u - 1)) * scale
    }
}

/// The shifted linear flow of SD3 (3.0, multiplier 1000), AuraFlow (1.73, multiplier 1) and FLUX schnell (1, 1):
/// σ(u) = s·u / (1 + (s − 1)·u) (Esser et al. 2024, "Scaling Rectified Flow Transformers").
public struct FlowSampling: FlowModelSampling {
    public let shift: Double
    /// What the network's time is in units of σ.
    public let multiplier: Float
    public let table: [Float]

    public init(shift: Double, multiplier: Float = 1, entries: Int = 1000) {
        self.shift = shift
        self.multiplier = multiplier
        table = (1...max(entries, 1)).map { index in
            let u = Float(index) / Float(max(entries, 1)) * multiplier
            return Self.sigma(u / multiplier, shift: shift)
        }
    }

    public func timestep(_ sigma: Float) -> Float { sigma * multiplier }
    public func sigma(timestep: Float) -> Float { Self.sigma(timestep / multiplier, shift: shift) }
    public func networkTime(_ sigma: Float) -> Float { timestep(sigma) }

    public func shifted(_ u: Double) -> Double { shift == 1 ? u : shift * u / (1 + (shift - 1) * u) }

    private static func sigma(_ u: Float, shift: Double) -> Float {
        shift == 1 ? u : Float(shift) * u / (1 + Float(shift - 1) * u)
    }
}
