import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import JSON
import NodeKit
import Sampling
import Tensors
import TestSupport
import Testing

@testable import CoreNodes
@testable import Models

/// Merged, scaled and saved models of every family, weight by weight on the miniatures.
struct MergeTests {
    private let models: String
    private let backend = CPUBackend(precision: .float32, threads: 2)

    init() throws { models = try GoldenModels.folder() }

    private func network(_ path: String) throws -> any WeightedNetwork {
        let file = "\(models)/\(path).safetensors"
        let network = try ModelLoader.network(path: file, weightType: nil, warn: { _ in })
        return try #require(network as? any WeightedNetwork)
    }

    private func weights(_ network: any DiffusionNetwork, _ key: String) throws -> [Float] {
        try Weights(try #require(network as? any WeightedNetwork).source).whole(key).floats()
    }

    /// A model, and the same with a LoRA.
    static let pairs = [
        ("checkpoints/sd15-mini", "sd15-kohya-mini", "middle_block.1.transformer_blocks.0.attn1.to_q.weight"),
        ("unet/flux-mini", "turbo-mini", "double_blocks.0.img_attn.qkv.weight"),
        ("unet/sd3-medium-mini-fp8", "sd3-kohya-mini", "joint_blocks.0.x_block.attn.qkv.weight"),
        ("unet/aura_flow-diffusers-mini", "aura_flow-peft-mini", "single_layers.0.attn.w1q.weight"),
    ]

    @Test(arguments: pairs) func sumsAndDifferences(_ path: String, _ lora: String, _ key: String) throws {
        let first = try network(path)
        let file = try ModelLoader.lora(path: "\(models)/loras/\(lora).safetensors")
        let second = try first.adding(lora: file, strength: 1).network
        let (a, b) = (try weights(first, key), try weights(second, key))
        #expect(a != b)
        func check(_ merge: ModelMerge, _ expected: (Float, Float) -> Float) throws {
            let merged = try merge(first, second) { _ in Issue.record("no warning is due") }
            #expect(merged.family == first.family)
            for (found, (x, y)) in zip(try weights(merged, key), zip(a, b)) {
                #expect(abs(found - expected(x, y)) <= 1e-5 * max(1, abs(x)))
            }
        }
        try check(.adding) { $0 + $1 }
        try check(.subtracting(factor: -0.5)) { ($0 - $1) * -0.5 }
        try check(.mixing { $0 == key ? 0.25 : 1 }) { $0 * 0.25 + $1 * 0.75 }
        try check(.mixing { $0 == key ? 1 : 0.5 }) { x, _ in x }
        // What the second learned beyond the first, added to the first, is the second.
        let learned = try ModelMerge.subtracting(factor: 1)(second, first, warn: { _ in })
        let sum = try ModelMerge.adding(first, learned, warn: { _ in })
        for (found, wanted) in zip(try weights(sum, key), b) {
            #expect(abs(found - wanted) <= 1e-5 * max(1, abs(wanted)))
        }
    }

    /// An inpainting model has a larger first convolution; the rest is merged.
    @Test func inpaintingModels() throws {
        let (base, inpainting) = (try network("checkpoints/sd15-mini"), try network("unet/sd15-inpaint-mini"))
        var warnings: [String] = []
        let merged = try ModelMerge.mixing { _ in 0.5 }(inpainting, base) { warnings.append($0) }
        #expect(warnings.count == 1 && warnings[0].contains("input_blocks.0.0.weight"), "\(warnings)")
        let key = "middle_block.0.in_layers.2.weight"
        let expected = zip(try weights(inpainting, key), try weights(base, key)).map { ($0 + $1) / 2 }
        for (found, wanted) in zip(try weights(merged, key), expected) { #expect(abs(found - wanted) < 1e-6) }
        let first = "input_blocks.0.0.weight"
        #expect(try weights(merged, first) == weights(inpainting, first).map { $0 * 0.5 })
    }

    @Test func otherFamiliesAreRefused() throws {
        for (a, b) in [
            ("checkpoints/sd15-mini", "unet/flux-mini"), ("checkpoints/sd15-mini", "checkpoints/sdxl-mini"),
            ("checkpoints/sd3-medium-mini", "checkpoints/sd3.5-large-mini"),
            ("unet/flux-mini", "unet/flux-schnell-mini"),
        ] {
            let (first, second) = (try network(a), try network(b))
            let error = #expect(throws: CheckpointError.self) {
                _ = try ModelMerge.adding(first, second, warn: { _ in })
            }
            #expect(error?.message.contains(first.family) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains(second.family) == true, "\(error?.message ?? "")")
        }
    }

    /// The longest beginning decides; what none names goes with the first.
    @Test func sharesByBlock() {
        let ratios = [("time_embed.", 0.1), ("input_blocks.1", 0.2), ("input_blocks.10.", 0.3), ("out.", 0.4)]
            .map { (beginning: $0.0, ratio: $0.1) }
        #expect(BlockMergeNodes.ratio("input_blocks.1.0.op.weight", ratios) == 0.2)
        #expect(BlockMergeNodes.ratio("input_blocks.10.0.op.weight", ratios) == 0.3)
        #expect(BlockMergeNodes.ratio("out.2.bias", ratios) == 0.4)
        #expect(BlockMergeNodes.ratio("output_blocks.0.x", ratios) == 0.1)
    }

    @Test func blockMergeNode() async throws {
        let first = try network("checkpoints/sd15-mini")
        let file = try ModelLoader.lora(path: "\(models)/loras/sd15-kohya-mini.safetensors")
        let second = try first.adding(lora: file, strength: 1).network
        let node = try #require(corePack.definitions.first { $0.schema.id == "ModelMergeSD1" })
        var inputs: [String: [any NodeValue]] = [
            "model1": [DiffusionModel(network: first)], "model2": [DiffusionModel(network: second)],
        ]
        for input in node.schema.inputs.dropFirst(2) { inputs[input.name] = [1.0] }
        inputs["middle_block.1."] = [0.0]
        let context = NodeContext(nodeID: "1", backend: backend, files: NoFiles(), events: NoEvents())
        let merged = try #require(try await node.run(inputs, context)[0][0] as? DiffusionModel).network
        let middle = "middle_block.1.transformer_blocks.0.attn1.to_q.weight"
        let input = "input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight"
        #expect(try weights(merged, middle) == weights(second, middle))
        #expect(try weights(merged, input) == weights(first, input))
    }

    @Test func scaledAttention() throws {
        let unet = try #require(try network("checkpoints/sd15-mini") as? UNetNetwork)
        let scaled = try unet.scalingWeights { $0.hasSuffix("attn2.to_v.weight") ? 1.5 : nil }
        let (own, other) = ("middle_block.1.transformer_blocks.0.attn2.to_v.weight", "time_embed.0.weight")
        #expect(try weights(scaled, own) == weights(unet, own).map { $0 * 1.5 })
        #expect(try weights(scaled, other) == weights(unet, other))
    }

    /// Saved as a checkpoint and loaded again, every family has the weights it had; UNets keep the way they predict.
    @Test(
        .enabled(if: Vocabularies.folder != nil, "needs the released vocabularies: set GRAPHRUN_TOKENIZERS"),
        arguments: [
            "checkpoints/sd15-mini", "checkpoints/sdxl-mini", "checkpoints/sd3-medium-incl-clips-mini",
            "checkpoints/aura_flow-mini", "checkpoints/flux-aio-mini", "checkpoints/sdxl-inpaint-mini",
        ])
    func savedCheckpoints(_ path: String) throws {
        let tokenizers = ["\(models)/tokenizers"]
        func load(_ file: String) throws -> CheckpointParts {
            try ModelLoader.checkpoint(
                path: file, tokenizerFolders: tokenizers, embeddings: { _ in nil }, warn: { _ in })
        }
        let parts = try load("\(models)/\(path).safetensors")
        let isUNet = parts.network is UNetNetwork
        let sampling: any ModelSampling =
            isUNet
            ? try ContinuousSampling(
                prediction: .velocity, time: .quarterLogarithm, sigmaMin: 0.002, sigmaMax: 120)
            : parts.network.sampling
        let content = try CheckpointWriter.checkpoint(
            parts.network, encoder: parts.encoder, autoencoder: parts.autoencoder, sampling: sampling)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("saved-\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try SafetensorsWriter.write(content.tensors, metadata: content.metadata, to: file)
        let again = try load(file)
        #expect(again.network.family == parts.network.family)
        #expect(
            (again.encoder == nil) == (parts.encoder == nil) && (again.autoencoder == nil) == (parts.autoencoder == nil)
        )
        let (old, new) = (
            try #require(parts.network as? any WeightedNetwork), try #require(again.network as? any WeightedNetwork)
        )
        for key in old.source.keys {
            #expect(try weights(old, key) == weights(new, key), "\(key)")
        }
        if path.contains("sdxl") {
            #expect(abs(again.network.sampling.sigmaMax - 120) < 1e-3 && again.network.sampling is ContinuousSampling)
        }
        let encoders = (parts.encoder as? any WeightedTextEncoder)?.sources ?? []
        let others = (again.encoder as? any WeightedTextEncoder)?.sources ?? []
        #expect(encoders.map(\.name) == others.map(\.name))
        for (old, new) in zip(encoders, others) {
            for key in old.weights.keys where !key.hasSuffix("position_ids") {
                #expect(
                    try Weights(old.weights).whole(key).floats() == Weights(new.weights).whole(key).floats(), "\(key)")
            }
        }
    }
}

private struct NoFiles: NodeFiles {
    func model(_ folder: String, _ name: String) throws -> String { throw NodeError("no files here") }
    func modelNames(_ folder: String) -> [String] { [] }
    func modelFolders(_ folder: String) -> [String] { [] }
    func input(_ name: String) throws -> String { throw NodeError("no files here") }
    func inputNames() -> [String] { [] }
    var outputFolder: String { "" }
    var temporaryFolder: String { "" }
    func fingerprint(path: String) throws -> String { path }
}

private struct NoEvents: NodeEvents {
    func checkCancellation() throws {}
    func progress(node: String, done: Double, total: Double) {}
    func resumed(node: String, done: Int, total: Int) {}
    func warning(node: String, _ message: String) {}
    func ui(node: String, _ output: JSONObject) {}
}
