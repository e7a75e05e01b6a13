import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import JSON
import Models
import Tensors
import TestSupport
import Testing

/// Every sampler on the miniature SD1.5 network against the reference's latents: the sd15-mini rows of the goldens'
/// "sampling" folder (plain, with a soft mask, batches, every scheduler, short and split runs).
struct UNetSamplerGoldens {
    @Test func everySamplerEqualsTheReference() throws {
        let folder = Cases.folder.appendingPathComponent("sampling")
        let index = try JSON(parsing: [UInt8](Data(contentsOf: folder.appendingPathComponent("sd15-mini.json"))))
        let file = try CheckpointFile(path: folder.appendingPathComponent("sd15-mini.expected.safetensors").path)
        var tensors: [String: Tensor] = [:]
        for key in file.keys { tensors[key] = try file.tensor(key) }
        let network = try ModelLoader.network(
            path: GoldenModels.folder() + "/checkpoints/sd15-mini.safetensors", weightType: nil, warn: { _ in })
        let model = DiffusionModel(network: network)
        let outcomes = try SamplingGoldens.run(
            index: index, tensors: tensors, on: CPUBackend(precision: .float32, threads: 2)
        ) { _ in model }
        #expect(outcomes.count == 139)
        for outcome in outcomes {
            #expect(outcome.error <= 1e-3, "\(outcome.id) is off by \(outcome.error)")
            #expect(outcome.calls.made == outcome.calls.expected, "\(outcome.id): evaluations of the network")
            #expect(outcome.reports.made == outcome.reports.expected, "\(outcome.id): reports of progress")
        }
    }
}
