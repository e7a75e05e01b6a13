public import Diffusion
import Glibc
public import Tensors

/// UniPC (Zhao et al. 2023): a predictor–corrector of order up to 3 in variance-preserving coordinates
/// y = x·α, α = 1/√(1 + σ²); spec: families-sd3-aura.md §9.
///
/// A final 0 of the schedule is replaced by 0.001, which is the last σ reported.
public struct UniPCSampler: Sampler {
    /// The function B(h) of the method.
    public enum Variant: Sendable, Hashable {
        /// B = −h.
        case bh1
        /// B = e^{−h} − 1.
        case bh2
    }

    public let name: String
    private let variant: Variant

    public init(variant: Variant = .bh1) {
        self.variant = variant
        name = variant == .bh1 ? "uni_pc" : "uni_pc_bh2"
    }

    /// A noise level in the method's coordinates.
    private struct Level {
        let sigma: Float
        let alpha: Float
        let deviation: Float
        let lambda: Float

        /// With the reference's rounding, which shows at low noise.
        init(_ sigma: Float) {
            self.sigma = sigma
            alpha = 1 / (sigma * sigma + 1).squareRoot()
            deviation = (1 - alpha * alpha).squareRoot()
            lambda = log(alpha) - 0.5 * log(1 - alpha * alpha)
        }

        /// Without cancellation: λ = −ln σ.
        init(exactly sigma: Float) {
            self.sigma = sigma
            alpha = 1 / (sigma * sigma + 1).squareRoot()
            deviation = sigma * alpha
            lambda = -log(sigma)
        }

        /// The levels of a schedule; exactly where rounding would make neighbours equal and the method undefined.
        static func all(_ sigmas: [Float]) -> [Level] {
            let rounded = sigmas.map { Level($0) }
            let isDistinct = zip(rounded, rounded.dropFirst()).allSatisfy {
                $0.lambda != $1.lambda && $1.lambda.isFinite
            }
            return isDistinct ? rounded : sigmas.map { Level(exactly: $0) }
        }
    }

    /// An estimate of the picture at a level.
    private struct Point {
        let level: Level
        let value: Tensor
    }

    public func sample(
        _ denoiser: any Denoiser, x start: Tensor, sigmas given: [Float], seed: UInt64, noise: Tensor, latent: Tensor,
        onStep: (SamplingStep) throws -> Void
    ) throws -> (x: Tensor, lastSigma: Float) {
        var sigmas = given
        if sigmas[sigmas.count - 1] == 0 { sigmas[sigmas.count - 1] = 0.001 }
        let levels = Level.all(sigmas)
        let last = levels[levels.count - 1]
        let scale = (1 + sigmas[0] * sigmas[0]).squareRoot()
        var y = try Elementwise.map(start) { $0 / scale }

        func value(_ y: Tensor, _ level: Level) throws -> Tensor {
            let (alpha, deviation, sigma) = (level.alpha, level.deviation, level.sigma)
            let x = try Elementwise.map(y) { $0 / alpha }
            return try Elementwise.zip(y, x, denoiser(x, sigma)) { ($0 - deviation * (($1 - $2) / sigma)) / alpha }
        }

        let steps = sigmas.count - 1
        let order = min(3, sigmas.count - 2)
        var history = [Point(level: levels[0], value: try value(y, levels[0]))]
        if order == 0 {
            // A single step: the method updates nothing.
            try onStep(SamplingStep(step: 1, total: 1, sigma: sigmas[0], x: start, denoised: history[0].value))
        } else {
            for step in 1...steps {
                let level = levels[step]
                let fromAlpha = levels[step - 1].alpha
                let before = try Elementwise.map(y) { $0 / fromAlpha }
                let here = step < order ? step : min(order, steps + 1 - step)
                let update = Update(history: history, level: level, order: here, variant: variant)
                let predicted = try update.predicted(y)
                if step < steps {
                    let new = try value(predicted, level)
                    y = try update.corrected(y, with: new)
                    history.append(Point(level: level, value: new))
                    if history.count > 3 { history.removeFirst() }
                } else {
                    y = predicted
                }
                try onStep(
                    SamplingStep(
                        step: step, total: steps, sigma: sigmas[step - 1], x: before,
                        denoised: history[history.count - 1].value))
            }
        }
        let alpha = last.alpha
        return (try Elementwise.map(y) { $0 / alpha }, last.sigma)
    }

    /// One step of the method from the newest point of the history to a level.
    private struct Update {
        private let from: Point
        private let level: Level
        private let h: Float
        private let exponential: Float
        private let factor: Float
        /// (λ_k − λ₀)/h of the older points, then 1.
        private var ratios: [Double] = []
        /// (m_k − m₀)/r_k of the older points.
        private var olderPoints: [(value: Tensor, ratio: Float)] = []
        private var right: [Double] = []
        private let order: Int

        init(history: [Point], level: Level, order: Int, variant: Variant) {
            let newest = history[history.count - 1]
            from = newest
            self.level = level
            self.order = order
            h = level.lambda - newest.level.lambda
            let negative = -h
            exponential = expm1(negative)
            factor = variant == .bh1 ? negative : exponential
            for index in 1..<max(order, 1) {
                let point = history[history.count - 1 - index]
                let ratio = (point.level.lambda - newest.level.lambda) / h
                ratios.append(Double(ratio))
                olderPoints.append((point.value, ratio))
            }
            ratios.append(1)
            var phi = Double(exponential) / Double(negative) - 1
            var factorial = 1.0
            for index in 1...max(order, 1) {
                right.append(phi * factorial / Double(factor))
                factorial *= Double(index + 1)
                phi = phi / Double(negative) - 1 / factorial
            }
        }

        func predicted(_ y: Tensor) throws -> Tensor {
            var weights: [Double] = []
            if order == 2 { weights = [0.5] }
            if order > 2 { weights = solved(order - 1) }
            return try combined(y, weights: weights, new: nil)
        }

        func corrected(_ y: Tensor, with new: Tensor) throws -> Tensor {
            let weights = order == 1 ? [0.5] : solved(order)
            return try combined(y, weights: Array(weights.dropLast()), new: (new, weights[weights.count - 1]))
        }

        /// The first `size` equations Σ_j r_j^{i−1}·ρ_j = b_i.
        private func solved(_ size: Int) -> [Double] {
            let rows = (0..<size).map { power in
                ratios.prefix(size).map { ratio in (0..<power).reduce(1.0) { product, _ in product * ratio } }
            }
            return LinearSystem.solve(rows, Array(right.prefix(size)))
        }

        private func combined(_ y: Tensor, weights: [Double], new: (value: Tensor, weight: Double)?) throws -> Tensor {
            let keep = level.deviation / from.level.deviation
            let take = level.alpha * exponential
            let scale = level.alpha * factor
            var sum: Tensor?
            for ((point, ratio), weight) in zip(olderPoints, weights) {
                let weight = Float(weight)
                let term = try Elementwise.zip(point, from.value) { weight * (($0 - $1) / ratio) }
                sum = try sum.map { try Elementwise.zip($0, term) { $0 + $1 } } ?? term
            }
            if let new {
                let weight = Float(new.weight)
                let term = try Elementwise.zip(new.value, from.value) { weight * ($0 - $1) }
                sum = try sum.map { try Elementwise.zip($0, term) { $0 + $1 } } ?? term
            }
            guard let sum else { return try Elementwise.zip(y, from.value) { keep * $0 - take * $1 } }
            return try Elementwise.zip(y, from.value, sum) { keep * $0 - take * $1 - scale * $2 }
        }
    }
}
