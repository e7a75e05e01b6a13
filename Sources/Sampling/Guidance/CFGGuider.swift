public import Diffusion
public import Tensors

/// Classifier-free guidance (Ho and Salimans 2022): D = u + (c − u)·cfg with the denoised estimates c for the positive
/// and u for the negative conditioning (spec: families-unet-sampling.md §13).
///
/// At cfg 1 (within 1e-9) the negative is not evaluated and D = c, unless a model option or sampler asks for it.
public struct CFGGuider: Guider {
    public let model: DiffusionModel
    public let positive: Conditioning
    /// `nil` for a guider without negative: u is 0 where something asks for it.
    public let negative: Conditioning?
    public let cfg: Double

    public init(model: DiffusionModel, positive: Conditioning, negative: Conditioning?, cfg: Double) {
        self.model = model
        self.positive = positive
        self.negative = negative
        self.cfg = cfg
    }

    public func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        let evaluator = try ConditioningEvaluator(
            model: model, conditionings: [positive] + (negative.map { [$0] } ?? []), geometry: geometry, on: backend)
        return CFGDenoiser(model: model, evaluator: evaluator, cfg: cfg)
    }
}

/// `BasicGuider`: the positive conditioning alone.
public struct BasicGuider: Guider {
    public let model: DiffusionModel
    public let conditioning: Conditioning

    public init(model: DiffusionModel, conditioning: Conditioning) {
        self.model = model
        self.conditioning = conditioning
    }

    public func denoiser(for geometry: RunGeometry, on backend: any Backend) throws -> any Denoiser {
        try CFGGuider(model: model, positive: conditioning, negative: nil, cfg: 1).denoiser(for: geometry, on: backend)
    }
}

/// The estimator of ``CFGGuider``: conditioning 0 of the evaluator is the positive, 1 the negative.
final class CFGDenoiser: Denoiser {
    private let model: DiffusionModel
    private let evaluator: ConditioningEvaluator
    private let cfg: Double
    private let needsNegative: Bool
    private let adjustments: [(inout GuidanceInputs) throws -> Void]

    init(model: DiffusionModel, evaluator: ConditioningEvaluator, cfg: Double) {
        self.model = model
        self.evaluator = evaluator
        self.cfg = cfg
        let isOne = abs(cfg - 1) <= 1e-9 * max(abs(cfg), 1)
        needsNegative =
            !isOne || model[AlwaysEvaluatesNegative.self] == true || model[GuidanceFormula.self] != nil
        adjustments = (model[EstimateAdjustments.self] ?? []).map { $0() }
    }

    var sampling: any ModelSampling { evaluator.sampling }

    func callAsFunction(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        try guided(x, sigma, withNegative: needsNegative).denoised
    }

    func withUnconditional(_ x: Tensor, _ sigma: Float) throws -> (denoised: Tensor, unconditional: Tensor) {
        let result = try guided(x, sigma, withNegative: true)
        return (result.denoised, try result.negative ?? Tensor.zeros(x.shape))
    }

    private func guided(
        _ x: Tensor, _ sigma: Float, withNegative: Bool
    ) throws -> (denoised: Tensor, negative: Tensor?) {
        let positive = try evaluator.estimate(0, x, sigma)
        let weakened = withNegative ? try model[NegativeNetwork.self]?(model.network, sigma) : nil
        let negative = withNegative ? try evaluator.estimate(1, x, sigma, network: weakened) : nil
        let scale = Float(cfg)
        var inputs = GuidanceInputs(
            x: x, sigma: sigma, scale: scale, positive: positive, negative: negative, denoised: positive,
            sampling: sampling, network: model.network,
            positiveEstimate: { [evaluator] network in try evaluator.estimate(0, x, sigma, network: network) },
            negativeEstimate: { [evaluator] x, network in
                try evaluator.estimate(withNegative ? 1 : 0, x, sigma, network: network)
            })
        for adjust in adjustments { try adjust(&inputs) }
        if let formula = model[GuidanceFormula.self] {
            inputs.denoised = try formula(inputs)
        } else if let negative = inputs.negative {
            inputs.denoised = try Elementwise.zip(negative, inputs.positive) { $0 + ($1 - $0) * scale }
        } else {
            inputs.denoised = inputs.positive
        }
        for adjustment in model[GuidanceAdjustments.self] ?? [] { inputs.denoised = try adjustment(inputs) }
        return (inputs.denoised, negative)
    }
}
