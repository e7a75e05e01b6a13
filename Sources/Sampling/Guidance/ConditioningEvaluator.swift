public import Diffusion
public import Tensors

/// The network's estimates for the conditionings of one run (spec: families-unet-sampling.md §12, families-flux.md
/// §7.1). Guiders combine them.
///
/// Everything that does not change from step to step is made once, when the evaluator is: ranges in σ, contexts of the
/// batch's size, ControlNets fitted to the run (one preparation per attachment, however many entries carry it).
public final class ConditioningEvaluator {
    private let model: DiffusionModel
    private let geometry: RunGeometry
    private let backend: any Backend
    private let conditionings: [[PreparedEntry]]
    private let shortcut: (any EvaluationShortcut)?

    public var sampling: any ModelSampling { geometry.sampling }

    /// - Parameters:
    ///   - conditionings: of one guider; areas and old-style ControlNets of one are mirrored into the others.
    ///   - positive: index of the conditioning whose ``ControlForNegative`` ControlNets go to the others.
    ///   - negatives: indices of those that say what the picture should not show.
    public init(
        model: DiffusionModel, conditionings: [Conditioning], positive: Int = 0, negatives: Set<Int> = [1],
        geometry: RunGeometry, on backend: any Backend
    ) throws {
        self.model = model
        self.geometry = geometry
        self.backend = backend
        shortcut = model[EvaluationShortcuts.self]?(geometry.sampling)
        var shared = ControlForNegativeRule.applied(to: conditionings, positive: positive)
        shared = try AreaMirroring.applied(to: shared, latentShape: geometry.latentShape)
        var preparations = ControlPreparations(model: model, geometry: geometry, backend: backend)
        self.conditionings = try shared.enumerated().map { index, conditioning in
            try conditioning.map { entry in
                var entry = entry
                if negatives.contains(index) { entry[NegativePrompt.self] = true }
                return try PreparedEntry(entry, geometry: geometry, controls: &preparations)
            }
        }
    }

    /// Σ estimate·weight / Σ weight over the entries of a conditioning that are active at σ; zeros if none is.
    ///
    /// - Parameters:
    ///   - x: the sampler's x `[batch, channels, h, w]`.
    ///   - network: used instead of the model's.
    public func estimate(
        _ index: Int, _ x: Tensor, _ sigma: Float, network: (any DiffusionNetwork)? = nil
    ) throws -> Tensor {
        guard conditionings.indices.contains(index) else { return try Tensor.zeros(x.shape) }
        let all = conditionings[index]
        let active = all.indices.filter { all[$0].isActive(at: sigma) }
        let whole = try sampling.networkInput(x, sigma: sigma)
        // Tells entries of several conditionings apart; no conditioning has that many.
        func number(_ position: Int) -> Int { index << 32 | position }
        if active.count == 1, all[active[0]].coversEverything {
            return try estimate(all[active[0]], number(active[0]), x, whole, sigma, network)
        }
        var sum = try WeightedSum(shape: x.shape)
        for position in active {
            let entry = all[position]
            let part = try entry.area.map { try $0.crop(x) } ?? x
            let input = try entry.area.map { try $0.crop(whole) } ?? whole
            try sum.add(estimate(entry, number(position), part, input, sigma, network), entry)
        }
        return try sum.average()
    }

    /// - Parameter other: used instead of the model's network.
    private func estimate(
        _ entry: PreparedEntry, _ number: Int, _ x: Tensor, _ input: Tensor, _ sigma: Float,
        _ other: (any DiffusionNetwork)?
    ) throws -> Tensor {
        let network = other ?? model.network
        var call = NetworkCall(
            x: input, sigma: sigma, time: sampling.networkTime(sigma), entry: entry.entry, geometry: geometry,
            area: entry.area)
        func evaluate() throws -> Tensor {
            call.control = try controlResiduals(entry, call)
            return try network(call, on: backend)
        }
        let output: Tensor
        if let shortcut, other == nil {
            output = try shortcut.output(call, index: number, evaluate)
        } else {
            output = try evaluate()
        }
        guard output.shape == x.shape else {
            throw SamplingError(
                .shape, "the network of \(network.family) answered a latent \(x.shape) with \(output.shape)")
        }
        return try sampling.denoised(x, output: output, sigma: sigma)
    }

    /// The sum of the active ControlNets' residuals, in the order they were attached.
    private func controlResiduals(_ entry: PreparedEntry, _ call: NetworkCall) throws -> ControlResiduals? {
        var total: ControlResiduals?
        for control in entry.controls where control.range.contains(call.sigma) {
            let residuals = try control.prepared.residuals(call, on: backend)
            if total == nil { total = residuals } else { try total?.add(residuals, on: backend) }
        }
        return total
    }
}

/// The noise levels between the start and the end of a percentage range of a run, both included.
struct SigmaRange: Sendable {
    private let highest: Float
    private let lowest: Float

    /// All levels.
    init() {
        highest = .infinity
        lowest = -.infinity
    }

    /// - Parameter sampling: the model's with its patches, since they change what a percentage means.
    init(_ range: PercentRange, _ sampling: any ModelSampling) {
        highest = Float(sampling.percentToSigma(range.start))
        lowest = Float(sampling.percentToSigma(range.end))
    }

    func contains(_ sigma: Float) -> Bool { sigma <= highest && sigma >= lowest }
}

/// ControlNets made ready for a run, one preparation per attachment object.
struct ControlPreparations {
    let model: DiffusionModel
    private var geometry: RunGeometry
    let backend: any Backend
    private var made: [ObjectIdentifier: any PreparedControl] = [:]

    init(model: DiffusionModel, geometry: RunGeometry, backend: any Backend) {
        self.model = model
        self.geometry = geometry
        self.geometry.network = model.network
        self.backend = backend
    }

    mutating func prepared(_ attachment: ControlAttachment) throws -> any PreparedControl {
        if let known = made[ObjectIdentifier(attachment)] { return known }
        try model.network.requireFitting(attachment.control.network)
        let prepared = try attachment.control.network.prepare(
            attachment, for: geometry, latentFormat: model.network.latentFormat, on: backend)
        made[ObjectIdentifier(attachment)] = prepared
        return prepared
    }
}
