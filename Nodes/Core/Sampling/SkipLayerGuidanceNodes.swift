import Diffusion
import JSON
import Models
import NodeKit
import Sampling
import Tensors

/// Guidance away from what the network makes of the prompt without some of its blocks (families-sd3-aura.md §13).
struct SkipLayerGuidanceSD3: Node {
    static let info = NodeInfo(
        "SkipLayerGuidanceSD3", category: "advanced/guidance",
        description: "Guides away from the network without some of its blocks.", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.option("multiline", .bool(false))) var layers = "7, 8, 9"
    @Input(.range(0.0...10.0), .step(0.1)) var scale = 3.0
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.01
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 0.15
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let skipped = SkippedLayers(double: layers, single: "")
        result = try model.guided(
            awayFrom: skipped, scale: scale, rescaling: 0, SigmaWindow(model, startPercent, endPercent))
    }
}

/// The same for networks with two kinds of blocks.
struct SkipLayerGuidanceDiT: Node {
    static let info = NodeInfo(
        "SkipLayerGuidanceDiT", category: "advanced/guidance",
        description: "Guides away from the network without some of its blocks.", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.option("multiline", .bool(false))) var doubleLayers = "7, 8, 9"
    @Input(.option("multiline", .bool(false))) var singleLayers = "7, 8, 9"
    @Input(.range(0.0...10.0), .step(0.1)) var scale = 3.0
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.01
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 0.15
    @Input(.range(0.0...10.0), .step(0.01)) var rescalingScale = 0.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let skipped = SkippedLayers(double: doubleLayers, single: singleLayers)
        result = try model.guided(
            awayFrom: skipped, scale: scale, rescaling: rescalingScale, SigmaWindow(model, startPercent, endPercent))
    }
}

/// Blocks left out where the negative is predicted, and nothing else changed.
struct SkipLayerGuidanceDiTSimple: Node {
    static let info = NodeInfo(
        "SkipLayerGuidanceDiTSimple", category: "advanced/guidance",
        description: "Predicts the negative with a network without some of its blocks.", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.option("multiline", .bool(false))) var doubleLayers = "7, 8, 9"
    @Input(.option("multiline", .bool(false))) var singleLayers = "7, 8, 9"
    @Input(.range(0.0...1.0), .step(0.001)) var startPercent = 0.0
    @Input(.range(0.0...1.0), .step(0.001)) var endPercent = 1.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        result = model
        let skipped = SkippedLayers(double: doubleLayers, single: singleLayers)
        if skipped.isEmpty { return }
        _ = try skipped.network(from: model.network)
        let window = SigmaWindow(model, startPercent, endPercent)
        result[NegativeNetwork.self] = { network, sigma in
            window.contains(sigma) ? try skipped.network(from: network) : network
        }
    }
}

/// The blocks that a node's texts name: every run of digits is an index.
private struct SkippedLayers {
    let double: Set<Int>
    let single: Set<Int>

    init(double: String, single: String) {
        self.double = Self.indices(double)
        self.single = Self.indices(single)
    }

    private static func indices(_ text: String) -> Set<Int> {
        Set(text.split { !("0"..."9").contains($0) }.compactMap { Int($0) })
    }

    var isEmpty: Bool { double.isEmpty && single.isEmpty }

    /// - Throws: ``NodeError`` for a network whose blocks cannot be left out.
    func network(from network: any DiffusionNetwork) throws -> any DiffusionNetwork {
        guard let skippable = network as? any LayerSkippingNetwork else {
            throw NodeError(
                "skip layer guidance needs a transformer of the SD3, AuraFlow or FLUX family; the model is "
                    + network.family)
        }
        return skippable.skipping(double: double, single: single)
    }
}

/// The noise levels between two fractions of a run, both included, as the model has them when the node runs.
private struct SigmaWindow {
    private let highest: Double
    private let lowest: Double

    init(_ model: DiffusionModel, _ start: Double, _ end: Double) {
        highest = model.sampling.percentToSigma(start)
        lowest = model.sampling.percentToSigma(end)
    }

    func contains(_ sigma: Float) -> Bool { Double(sigma) >= lowest && Double(sigma) <= highest }
}

extension DiffusionModel {
    /// Guidance result + (positive − positive without the layers) · scale at the noise levels of `window`.
    fileprivate func guided(
        awayFrom skipped: SkippedLayers, scale: Double, rescaling: Double, _ window: SigmaWindow
    ) throws -> DiffusionModel {
        if skipped.isEmpty || scale == 0 { return self }
        // Said now rather than in the first step.
        _ = try skipped.network(from: network)
        let network = network
        var copy = self
        let adjustment: @Sendable (GuidanceInputs) throws -> Tensor = { inputs in
            guard window.contains(inputs.sigma) else { return inputs.denoised }
            let weak = try inputs.positiveEstimate(skipped.network(from: network))
            return try SkipLayerGuidance.apply(inputs, weak: weak, scale: Float(scale), rescaling: Float(rescaling))
        }
        copy[GuidanceAdjustments.self] = (self[GuidanceAdjustments.self] ?? []) + [adjustment]
        return copy
    }
}
