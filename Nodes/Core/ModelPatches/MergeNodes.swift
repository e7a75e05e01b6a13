import Diffusion
import Models
import NodeKit

/// Mixes the weights of two models (families-unet-sampling.md §15).
struct ModelMergeSimple: Node {
    static let info = NodeInfo("ModelMergeSimple", category: "advanced/model_merging")

    @Input var model1: DiffusionModel
    @Input var model2: DiffusionModel
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of the first model.")) var ratio = 1.0
    @Output var merged: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let share = ratio
        merged = try model1.merged(.mixing { _ in share }, with: model2, context)
    }
}

/// Mixes two models with a share of its own for each third of the network.
struct ModelMergeBlocks: Node {
    static let info = NodeInfo("ModelMergeBlocks", category: "advanced/model_merging")

    @Input var model1: DiffusionModel
    @Input var model2: DiffusionModel
    @Input(.range(0.0...1.0), .step(0.01)) var input = 1.0
    @Input(.range(0.0...1.0), .step(0.01)) var middle = 1.0
    @Input(.range(0.0...1.0), .step(0.01)) var out = 1.0
    @Output var merged: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let (input, middle, out) = (input, middle, out)
        let mixing = ModelMerge.mixing { key in
            // What belongs to no third (time, label) goes with the first.
            key.hasPrefix("middle") ? middle : key.hasPrefix("out") ? out : input
        }
        merged = try model1.merged(mixing, with: model2, context)
    }
}

/// The sum of two models' weights: a model and what another one learned beyond its base.
struct ModelMergeAdd: Node {
    static let info = NodeInfo("ModelMergeAdd", category: "advanced/model_merging")

    @Input var model1: DiffusionModel
    @Input var model2: DiffusionModel
    @Output var merged: DiffusionModel

    func run(_ context: NodeContext) async throws { merged = try model1.merged(.adding, with: model2, context) }
}

/// (first − second) · multiplier, weight by weight: what a model learned beyond its base.
struct ModelMergeSubtract: Node {
    static let info = NodeInfo("ModelMergeSubtract", category: "advanced/model_merging")

    @Input var model1: DiffusionModel
    @Input var model2: DiffusionModel
    @Input(.range(-10.0...10.0), .step(0.01)) var multiplier = 1.0
    @Output var merged: DiffusionModel

    func run(_ context: NodeContext) async throws {
        merged = try model1.merged(.subtracting(factor: multiplier), with: model2, context)
    }
}

/// Mixes the weights of two text encoders.
struct CLIPMergeSimple: Node {
    static let info = NodeInfo("CLIPMergeSimple", category: "advanced/model_merging")

    @Input var clip1: TextEncoderValue
    @Input var clip2: TextEncoderValue
    @Input(.range(0.0...1.0), .step(0.01), .tooltip("Share of the first encoder.")) var ratio = 1.0
    @Output var merged: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        let share = ratio
        merged = try clip1.merged(.mixing { _ in share }, with: clip2, context)
    }
}

/// The sum of two text encoders' weights.
struct CLIPMergeAdd: Node {
    static let info = NodeInfo("CLIPMergeAdd", category: "advanced/model_merging")

    @Input var clip1: TextEncoderValue
    @Input var clip2: TextEncoderValue
    @Output var merged: TextEncoderValue

    func run(_ context: NodeContext) async throws { merged = try clip1.merged(.adding, with: clip2, context) }
}

/// (first − second) · multiplier, weight by weight.
struct CLIPMergeSubtract: Node {
    static let info = NodeInfo("CLIPMergeSubtract", category: "advanced/model_merging")

    @Input var clip1: TextEncoderValue
    @Input var clip2: TextEncoderValue
    @Input(.range(-10.0...10.0), .step(0.01)) var multiplier = 1.0
    @Output var merged: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        merged = try clip1.merged(.subtracting(factor: multiplier), with: clip2, context)
    }
}

extension DiffusionModel {
    /// This model with the other's weights mixed in; sampling and options stay.
    func merged(_ merge: ModelMerge, with other: DiffusionModel, _ context: NodeContext) throws -> DiffusionModel {
        var result = self
        result.network = try merge(network, other.network) { context.warn($0) }
        return result
    }
}

extension TextEncoderValue {
    fileprivate func merged(
        _ merge: ModelMerge, with other: TextEncoderValue, _ context: NodeContext
    ) throws -> TextEncoderValue {
        TextEncoderValue(try merge(encoder, other.encoder) { context.warn($0) })
    }
}
