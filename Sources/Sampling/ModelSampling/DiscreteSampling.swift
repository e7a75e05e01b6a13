public import Diffusion
import Glibc
public import Tensors

/// Models trained on a table of noise levels (Ho et al. 2020; SD1, SD2, SDXL): variance-exploding σ, time is the
/// table's index (spec: families-unet-sampling.md §9).
public struct DiscreteSampling: ModelSampling {
    public let prediction: Prediction
    public let table: [Float]
    private let logarithms: [Float]
    /// Distance in training steps between neighbours of the table; more than 1 for distilled models.
    private let stride: Int

    /// - Parameters:
    ///   - betaStart: first and `betaEnd` last β of the scaled linear schedule (linear in √β).
    ///   - zeroTerminalSNR: rescales the table so that its last level is (almost) pure noise (Lin et al. 2023).
    public init(
        prediction: Prediction = .epsilon, betaStart: Double = 0.00085, betaEnd: Double = 0.012,
        zeroTerminalSNR: Bool = false
    ) {
        self.prediction = prediction
        stride = 1
        (table, logarithms) = Self.tables(Self.sigmas(betaStart, betaEnd, zeroTerminalSNR))
    }

    /// The LCM form: every 20th level counted from the end, 50 of the 1000.
    public static func distilled(prediction: Prediction = .consistency, zeroTerminalSNR: Bool = false) -> Self {
        Self(distilled: prediction, zeroTerminalSNR)
    }

    private init(distilled prediction: Prediction, _ zeroTerminalSNR: Bool) {
        self.prediction = prediction
        let skip = 20
        stride = skip
        let all = Self.sigmas(0.00085, 0.012, zeroTerminalSNR)
        let kept = Swift.stride(from: all.count - 1, through: 0, by: -skip).reversed().map { all[$0] }
        (table, logarithms) = Self.tables(kept)
    }

    public var isFlow: Bool { false }

    /// The index of the nearest level in log σ, in training steps.
    public func timestep(_ sigma: Float) -> Float {
        let wanted = log(sigma)
        var best = 0
        var smallest = Float.infinity
        for (index, logarithm) in logarithms.enumerated() {
            let distance = abs(wanted - logarithm)
            if distance < smallest {
                smallest = distance
                best = index
            }
        }
        return Float(best * stride + stride - 1)
    }

    /// log σ is interpolated between neighbouring levels.
    public func sigma(timestep: Float) -> Float {
        let position = (timestep - Float(stride - 1)) / Float(stride)
        let t = position.isNaN ? 0 : min(max(position, 0), Float(logarithms.count - 1))
        let low = t.rounded(.down)
        let part = t - low
        return exp((1 - part) * logarithms[Int(low)] + part * logarithms[Int(t.rounded(.up))])
    }

    public func percentToSigma(_ percent: Double) -> Double {
        if percent <= 0 { return 999_999_999.9 }
        if percent >= 1 { return 0 }
        return Double(sigma(timestep: Float((1 - percent) * 999)))
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

    private static func sigmas(_ betaStart: Double, _ betaEnd: Double, _ zeroTerminalSNR: Bool) -> [Double] {
        let count = 1000
        let (first, last) = (betaStart.squareRoot(), betaEnd.squareRoot())
        let step = (last - first) / Double(count - 1)
        var product = 1.0
        var alphas = (0..<count).map { index in
            // torch's linspace: from both ends towards the middle.
            let root = index < count / 2 ? first + step * Double(index) : last - step * Double(count - 1 - index)
            product *= 1 - root * root
            return product
        }
        if zeroTerminalSNR {
            let values = alphas.map { $0.squareRoot() }
            let (head, tail) = (values[0], values[count - 1])
            alphas = values.map { value in
                let shifted = (value - tail) * (head / (head - tail))
                return shifted * shifted
            }
            alphas[count - 1] = 4.8973451890853435e-08
        }
        return alphas.map { ((1 - $0) / $0).squareRoot() }
    }

    private static func tables(_ sigmas: [Double]) -> (table: [Float], logarithms: [Float]) {
        (sigmas.map { Float($0) }, sigmas.map { Float(log($0)) })
    }
}
