import CPUBackend
import Checkpoints
import CoreNodes
import Diffusion
import Engine
import Foundation
import JSON
import NodeKit
import Tensors
import TestSupport
import Testing

/// Every sampler on the miniature FLUX network against what the reference computed in fp32: the flux-mini rows of the
/// goldens' "sampling" folder (plain, with guidance, with a soft mask, every scheduler, a part of a run).
@Suite struct SamplerGoldens {
    private static let folder = Cases.folder.appendingPathComponent("sampling")

    /// A sampling step multiplies what is off before it; the reference's own results move by up to 7e-6 when the noise
    /// is changed by 1e-6.
    private static let tolerance = 1e-4

    @Test func everySamplerEqualsTheReference() async throws {
        let index = try JSON(parsing: [UInt8](Data(contentsOf: Self.folder.appendingPathComponent("flux-mini.json"))))
        let expected = try CheckpointFile(
            path: Self.folder.appendingPathComponent("flux-mini.expected.safetensors").path)
        var tensors: [String: Tensor] = [:]
        for key in expected.keys { tensors[key] = try expected.tensor(key) }
        let backend = CPUBackend(precision: .float32, threads: 2)
        let model = try await Self.model(backend)
        let outcomes = try SamplingGoldens.run(index: index, tensors: tensors, on: backend) { name in
            name == "flux-mini" ? model : nil
        }
        #expect(outcomes.count == 63)
        for outcome in outcomes {
            #expect(outcome.error <= Self.tolerance, "\(outcome.id) is off by \(outcome.error)")
            #expect(outcome.calls.made == outcome.calls.expected, "\(outcome.id): evaluations of the network")
            #expect(outcome.reports.made == outcome.reports.expected, "\(outcome.id): reports of progress")
        }
    }

    private static func model(_ backend: any Backend) async throws -> DiffusionModel {
        let loader = try #require(corePack.definitions.first { $0.schema.id == "UNETLoader" })
        let files = try ModelFolders(
            models: GoldenModels.folder(), input: "input", output: NSTemporaryDirectory() + "/graphrun-no-output")
        let context = NodeContext(nodeID: "1", backend: backend, files: files, events: NoEvents())
        let outputs = try await loader.run(
            ["unet_name": ["flux-mini.safetensors"], "weight_dtype": ["default"]], context)
        return try #require(outputs[0].first as? DiffusionModel)
    }

    private struct NoEvents: NodeEvents {
        func checkCancellation() throws {}
        func progress(node: String, done: Double, total: Double) {}
        func warning(node: String, _ message: String) {}
        func ui(node: String, _ output: JSONObject) {}
    }
}
