public import Diffusion
public import Tensors

/// What a function that changes guidance sees in one call of D(x, σ). Estimates are denoised pictures in model units.
public struct GuidanceInputs {
    public var x: Tensor
    public var sigma: Float
    /// Guidance strength.
    public var scale: Float
    public var positive: Tensor
    /// `nil` where the negative was not evaluated.
    public var negative: Tensor?
    /// The result so far: of the guidance formula and the adjustments before this one.
    public var denoised: Tensor
    public var sampling: any ModelSampling
    /// The model's network with everything that was done to it.
    public var network: any DiffusionNetwork
    /// Evaluates the positive conditioning with another network (perturbed attention, skipped layers).
    public var positiveEstimate: (any DiffusionNetwork) throws -> Tensor
    /// Evaluates the negative conditioning (the positive where there is none) at another x, with the model's network or
    /// another one (self-attention guidance).
    public var negativeEstimate: (Tensor, (any DiffusionNetwork)?) throws -> Tensor = { x, _ in x }
}

/// Functions applied one after the other to the estimates before the guidance formula (`LatentApplyOperationCFG`, `APG`);
/// nodes append theirs. Each is made anew for every run, so it may remember what it saw; one that does also sets
/// ``RemembersEvaluations``.
public enum EstimateAdjustments: ModelOptionKey {
    public typealias Value = [@Sendable () -> (inout GuidanceInputs) throws -> Void]
}

/// Replaces the guidance formula u + (c − u)·scale (`RescaleCFG`); the negative is then always evaluated.
public enum GuidanceFormula: ModelOptionKey {
    public typealias Value = @Sendable (GuidanceInputs) throws -> Tensor
}

/// Functions applied one after the other to the guided estimate (`PerturbedAttentionGuidance`,
/// `SkipLayerGuidanceSD3`); nodes append theirs.
public enum GuidanceAdjustments: ModelOptionKey {
    public typealias Value = [@Sendable (GuidanceInputs) throws -> Tensor]
}

/// The network that predicts the negative at a noise level, given the model's (`SkipLayerGuidanceDiTSimple`).
public enum NegativeNetwork: ModelOptionKey {
    public typealias Value = @Sendable (any DiffusionNetwork, Float) throws -> any DiffusionNetwork
}

/// Whether the negative is evaluated even where the scale is 1.
public enum AlwaysEvaluatesNegative: ModelOptionKey {
    public typealias Value = Bool
}

/// Whether an estimate depends on the run's earlier ones (steps that reuse what others computed). A node that makes a
/// model so sets this: an interrupted run of such a model starts over, since its answers alone are not its whole state.
public enum RemembersEvaluations: ModelOptionKey {
    public typealias Value = Bool
}

/// Stands between guidance and network in one run: may answer without evaluating (`EasyCache`).
public protocol EvaluationShortcut: AnyObject {
    /// The network's output for a call.
    ///
    /// - Parameters:
    ///   - index: tells apart the conditioning entries that are evaluated at one noise level.
    ///   - evaluate: computes it.
    func output(_ call: NetworkCall, index: Int, _ evaluate: () throws -> Tensor) throws -> Tensor
}

/// Makes the shortcut of a run, given its sampling. A node that sets it also sets ``RemembersEvaluations``.
public enum EvaluationShortcuts: ModelOptionKey {
    public typealias Value = @Sendable (any ModelSampling) -> any EvaluationShortcut
}

/// What a mask function sees: the run's mask `[batch, channels, h, w]`, unrounded, and where the run stands.
public struct NoiseMaskInputs {
    public var mask: Tensor
    public var sigma: Float
    /// The run's schedule.
    public var sigmas: [Float]
    public var sampling: any ModelSampling
}

/// Replaces the noise mask in every call of D (`DifferentialDiffusion`).
public enum NoiseMaskFunction: ModelOptionKey {
    public typealias Value = @Sendable (NoiseMaskInputs) throws -> Tensor
}
