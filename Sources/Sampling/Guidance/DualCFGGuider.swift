public import Diffusion
public import Tensors

/// Guidance by two conditionings (Brooks et al. 2023, InstructPix2Pix; spec: families-unet-sampling.md §13). With the
/// estimates p, m and n for first, second and negative:
/// regular: n + (m − n)·secondScale + (p − m)·firstScale; nested: n + secondScale·(m + (p − m)·firstScale − n).
public struct DualCFGGuider: Guider {
    public let model: DiffusionModel
    public let first: Conditioning
    public let second: Conditioning
    public let negative: Conditioning
    public let firstScale: Double
    public let secondScale: Double
    public let isNested: Bool

    public init(
        model: DiffusionModel, first: Conditioning, second: Conditioning, negative: Conditioning, firstScale: Double,
        secondScale: Double, isNested: Bool = false
    ) {
        self.model = model
        self.first = first
        self.second = second
        self.negative = negative
        self.firstScale = firstScale
        self.secondScale = secondScale
        self.isNested = isNested
    }

    public func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        let evaluator = try ConditioningEvaluator(
            model: model, conditionings: [first, second, negative], negatives: [2], geometry: geometry, on: backend)
        let (one, two, isNested) = (Float(firstScale), Float(secondScale), isNested)
        return CombiningDenoiser(evaluator) { x, sigma in
            let positive = try evaluator.estimate(0, x, sigma)
            let middle = try evaluator.estimate(1, x, sigma)
            let negative = try evaluator.estimate(2, x, sigma)
            let denoised =
                isNested
                ? try Elementwise.zip(positive, middle, negative) { $2 + (($1 + ($0 - $1) * one) - $2) * two }
                : try Elementwise.zip(positive, middle, negative) { ($2 + ($1 - $2) * two) + ($0 - $1) * one }
            return (denoised, negative)
        }
    }
}

/// Perpendicular negative prompts (Armandpour et al. 2023): only the part of the negative that does not oppose the
/// positive counts. With P = p − e, N = n − e for an empty prompt's estimate e:
/// D = e + cfg·(P − negativeScale·(N − (ΣNP/‖P‖²)·P)).
public struct PerpendicularNegativeGuider: Guider {
    public let model: DiffusionModel
    public let positive: Conditioning
    public let negative: Conditioning
    public let empty: Conditioning
    public let cfg: Double
    public let negativeScale: Double

    public init(
        model: DiffusionModel, positive: Conditioning, negative: Conditioning, empty: Conditioning, cfg: Double,
        negativeScale: Double
    ) {
        self.model = model
        self.positive = positive
        self.negative = negative
        self.empty = empty
        self.cfg = cfg
        self.negativeScale = negativeScale
    }

    public func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        let evaluator = try ConditioningEvaluator(
            model: model, conditionings: [positive, negative, empty], negatives: [1, 2], geometry: geometry, on: backend
        )
        let (scale, share) = (Float(cfg), Float(negativeScale))
        return CombiningDenoiser(evaluator) { x, sigma in
            let neutral = try evaluator.estimate(2, x, sigma)
            let toward = try Elementwise.zip(evaluator.estimate(0, x, sigma), neutral) { $0 - $1 }
            let negative = try evaluator.estimate(1, x, sigma)
            let away = try Elementwise.zip(negative, neutral) { $0 - $1 }
            let overlap = try (dot(away, toward) / dot(toward, toward))
            let factor = Float(overlap)
            let denoised = try Elementwise.zip(neutral, toward, away) {
                $0 + scale * ($1 - share * ($2 - factor * $1))
            }
            return (denoised, negative)
        }
    }
}

/// Σ aᵢbᵢ over all elements.
private func dot(_ a: Tensor, _ b: Tensor) throws -> Double {
    try a.asFloat32().withElements(of: Float.self) { x in
        try b.asFloat32().withElements(of: Float.self) { y in
            var sum = 0.0
            for i in x.indices { sum += Double(x[i]) * Double(y[i]) }
            return sum
        }
    }
}

/// A denoiser whose formula needs all its conditionings in every call.
final class CombiningDenoiser: Denoiser {
    typealias Formula = (_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor)
    private let evaluator: ConditioningEvaluator
    private let formula: Formula

    init(_ evaluator: ConditioningEvaluator, _ formula: @escaping Formula) {
        self.evaluator = evaluator
        self.formula = formula
    }

    var sampling: any ModelSampling { evaluator.sampling }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor { try formula(x, sigma).denoised }

    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        try formula(x, sigma)
    }
}
