import Diffusion
import Models
import NodeKit

/// Multiplies the projections of the self-attention of a UNet.
struct UNetSelfAttentionMultiply: Node {
    static let info = NodeInfo(
        "UNetSelfAttentionMultiply", category: "_for_testing/attention_experiments", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01)) var q = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var k = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var v = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var out = 1.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let factors = ["to_q": q, "to_k": k, "to_v": v, "to_out.0": out]
        result = try model.scalingWeights("UNetSelfAttentionMultiply") { factors[factorOf: $0, in: "attn1."] }
    }
}

/// Multiplies the projections of the attention to the text of a UNet.
struct UNetCrossAttentionMultiply: Node {
    static let info = NodeInfo(
        "UNetCrossAttentionMultiply", category: "_for_testing/attention_experiments", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01)) var q = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var k = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var v = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var out = 1.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let factors = ["to_q": q, "to_k": k, "to_v": v, "to_out.0": out]
        result = try model.scalingWeights("UNetCrossAttentionMultiply") { factors[factorOf: $0, in: "attn2."] }
    }
}

/// Multiplies what attention adds: within a picture (structural) and, in video networks, over time (temporal).
struct UNetTemporalAttentionMultiply: Node {
    static let info = NodeInfo(
        "UNetTemporalAttentionMultiply", category: "_for_testing/attention_experiments", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...10.0), .step(0.01)) var selfStructural = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var selfTemporal = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var crossStructural = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var crossTemporal = 1.0
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let structural = (["to_out.0": selfStructural], ["to_out.0": crossStructural])
        let temporal = (["to_out.0": selfTemporal], ["to_out.0": crossTemporal])
        result = try model.scalingWeights("UNetTemporalAttentionMultiply") { key in
            let factors = key.contains(".time_stack.") ? temporal : structural
            return factors.0[factorOf: key, in: "attn1."] ?? factors.1[factorOf: key, in: "attn2."]
        }
    }
}

/// Multiplies the projections of the attention of CLIP text encoders.
struct CLIPAttentionMultiply: Node {
    static let info = NodeInfo(
        "CLIPAttentionMultiply", category: "_for_testing/attention_experiments", style: .v3
    ).experimental

    @Input var clip: TextEncoderValue
    @Input(.range(0.0...10.0), .step(0.01)) var q = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var k = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var v = 1.0
    @Input(.range(0.0...10.0), .step(0.01)) var out = 1.0
    @Output var result: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        guard let encoder = clip.encoder as? any WeightedTextEncoder else {
            throw NodeError("CLIPAttentionMultiply: the weights of \(clip.encoder.family) cannot be changed")
        }
        let factors = ["q_proj": q, "k_proj": k, "v_proj": v, "out_proj": out]
        result = TextEncoderValue(try encoder.scalingWeights { factors[factorOf: $0, in: "self_attn."] })
    }
}

extension DiffusionModel {
    fileprivate func scalingWeights(_ node: String, _ factor: (String) -> Double?) throws -> DiffusionModel {
        guard let unet = network as? UNetNetwork else {
            throw NodeError(
                "\(node) changes the attention of a UNet (SD1.x, SD2.x, SDXL); the model is \(network.family)")
        }
        var result = self
        result.network = try unet.scalingWeights(factor)
        return result
    }
}

extension [String: Double] {
    /// The factor of a weight or bias of a module, by the module's name; `nil` for weights of other modules.
    ///
    /// - Parameter parent: what stands before the module's name ("attn1.").
    fileprivate subscript(factorOf key: String, in parent: String) -> Double? {
        for (module, factor) in self where key.hasSuffix("\(parent)\(module).weight") {
            return factor
        }
        for (module, factor) in self where key.hasSuffix("\(parent)\(module).bias") {
            return factor
        }
        return nil
    }
}
