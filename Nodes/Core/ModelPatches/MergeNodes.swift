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
        let share = Float(ratio)
        merged = try model1.merged(with: model2) { _ in share }
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
        let (input, middle, out) = (Float(input), Float(middle), Float(out))
        merged = try model1.merged(with: model2) { key in
            // What belongs to no third (time, label) goes with the first.
            key.hasPrefix("middle") ? middle : key.hasPrefix("out") ? out : input
        }
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
        guard let encoder = clip1.encoder as? CLIPTextEncoder else {
            throw NodeError(
                "text encoders of SD1.x, SD2.x and SDXL can be merged; the first one is \(clip1.encoder.family)")
        }
        merged = TextEncoderValue(try encoder.merged(with: clip2.encoder, ratio: Float(ratio)))
    }
}

extension DiffusionModel {
    fileprivate func merged(with other: DiffusionModel, ratio: (String) -> Float) throws -> DiffusionModel {
        guard let unet = network as? UNetNetwork else {
            throw NodeError("UNets (SD1.x, SD2.x, SDXL) can be merged; the first model is \(network.family)")
        }
        var result = self
        result.network = try unet.merged(with: other.network, ratio: ratio)
        return result
    }
}
