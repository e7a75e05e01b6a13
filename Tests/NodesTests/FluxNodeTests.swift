import CoreNodes
import Diffusion
import Foundation
import Models
import NodeKit
import Tensors
import Testing

/// Nodes of FLUX's relatives.
struct FluxNodeTests {
    private let installation: TestInstallation
    init() throws { installation = try TestInstallation() }

    private func text(_ width: Int = 4) throws -> ConditioningValue {
        var entry = ConditioningEntry(context: try Tensor((0..<3 * width).map { Float($0) }, shape: [1, 3, width]))
        entry[Guidance.self] = .some(2)
        return ConditioningValue([entry])
    }

    /// A style model of width 2 → 4 whose tokens are its bias: 1, 2, 3, 4.
    private func styleModel() async throws -> StyleModel {
        var header: [String: Any] = [:]
        var bytes = Data()
        for (key, shape, values) in [
            ("redux_down.bias", [4], [1, 2, 3, 4]), ("redux_down.weight", [4, 3], [Float](repeating: 0, count: 12)),
            ("redux_up.bias", [3], [0, 0, 0]), ("redux_up.weight", [3, 2], [Float](repeating: 0, count: 6)),
        ] as [(String, [Int], [Float])] {
            let start = bytes.count
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
            header[key] = ["dtype": "F32", "shape": shape, "data_offsets": [start, bytes.count]] as [String: Any]
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        var length = UInt64(json.count).littleEndian
        try installation.add(
            model: "style_models", "redux.safetensors", Data(bytes: &length, count: 8) + json + bytes)
        return try await call(
            "StyleModelLoader", ["style_model_name": "redux.safetensors"], installation.context())
    }

    private func seen() throws -> CLIPVisionOutput {
        let features = try Tensor.full([2, 5, 2], 1)
        return CLIPVisionOutput(lastHiddenState: features, penultimateHiddenState: features, imageEmbeds: nil)
    }

    private func applied(
        _ conditioning: ConditioningValue, _ strength: Double, _ type: String
    ) async throws -> ConditioningValue {
        let inputs: [String: any NodeValue] = [
            "conditioning": conditioning, "style_model": try await styleModel(), "clip_vision_output": try seen(),
            "strength": strength, "strength_type": type,
        ]
        return try await call("StyleModelApply", inputs, installation.context())
    }

    @Test func styleTokensFollowTheText() async throws {
        let result = try await applied(text(), 0.5, "multiply").entries[0]
        #expect(result.context.shape == [1, 13, 4])
        let values = try result.context.floats()
        #expect(Array(values.prefix(12)) == (0..<12).map { Float($0) })
        #expect(Array(values[12..<20]) == [0.5, 1, 1.5, 2, 0.5, 1, 1.5, 2])
        #expect(result[StyleAttention.self] == nil)
        #expect(result[Guidance.self] == .some(2))
    }

    /// The tokens stay as they are; how much they are seen is an option of the entry, which the cache can keep.
    @Test func styleBiases() async throws {
        let once = try await applied(text(), 0.5, "attn_bias")
        let twice = try await applied(once, 2, "attn_bias").entries[0]
        #expect(Array(try twice.context.floats()[12..<16]) == [1, 2, 3, 4])
        let stretches = try #require(twice[StyleAttention.self])
        #expect(stretches.map(\.start) == [3, 13] && stretches.map(\.count) == [10, 10])
        // log 0.5 as half precision keeps it.
        #expect(stretches[0].bias == -0.693359375 && stretches[1].bias == 0.693359375)
        let content = try #require(StyleAttention.stored(stretches))
        #expect(StyleAttention.restored(content) == stretches)
        let plain = try await applied(text(), 1, "attn_bias").entries[0]
        #expect(plain[StyleAttention.self] == nil)
    }

    @Test func otherTextIsRefused() async throws {
        let message = await failure { _ = try await applied(text(6), 1, "multiply") }
        #expect(message.contains("width 4") && message.contains("another model family"))
    }

    @Test func referencesAreCollected() async throws {
        let context = installation.context()
        let (first, second) = (try Tensor.zeros([1, 16, 2, 2]), try Tensor.zeros([1, 16, 4, 6]))
        var conditioning = try text()
        for latent in [first, second] {
            conditioning = try await call(
                "ReferenceLatent", ["conditioning": conditioning, "latent": Latent(samples: latent)], context)
        }
        conditioning = try await call("ReferenceLatent", ["conditioning": conditioning], context)
        conditioning = try await call(
            "FluxKontextMultiReferenceLatentMethod",
            ["conditioning": conditioning, "reference_latents_method": "uxo/uno"], context)
        let entry = conditioning.entries[0]
        #expect(entry[ReferenceLatents.self]?.map(\.shape) == [first.shape, second.shape])
        #expect(entry[ReferenceLatentPlacement.self] == .uxo)
        #expect(conditioning.exportedTensors.map(\.suffix).contains(".0.1.reference_latents.1"))
        let types = corePack.storable.merging(.standard)
        let stored = try #require(conditioning.stored(types))
        let restored = try #require(ConditioningValue(stored: stored, types)).entries[0]
        #expect(restored[ReferenceLatents.self]?.map(\.shape) == [first.shape, second.shape])
        #expect(restored[ReferenceLatentPlacement.self] == .uxo)
    }
}
