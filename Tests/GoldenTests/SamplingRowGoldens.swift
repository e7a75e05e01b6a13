import CPUBackend
import Checkpoints
import Diffusion
import Foundation
import JSON
import Models
import Sampling
import Tensors
import TestSupport
import Testing

/// Every sampler on miniature networks against the reference's latents (goldens "sampling").
struct SamplingRowGoldens {
    @Test func everyRow() throws {
        let folder = Cases.folder.appendingPathComponent("sampling")
        let index = try JSON(parsing: [UInt8](Data(contentsOf: folder.appendingPathComponent("cases.json"))))
        let file = try CheckpointFile(path: folder.appendingPathComponent("expected.safetensors").path)
        var tensors: [String: Tensor] = [:]
        for key in file.keys { tensors[key] = try file.tensor(key) }
        let models = try GoldenModels.folder()
        let places = ["sd15-mini": "checkpoints", "flux-mini": "unet"]
        var networks: [String: DiffusionModel] = [:]
        let outcomes = try SamplingGoldens.run(
            index: index, tensors: tensors, on: CPUBackend(precision: .float32, threads: 2)
        ) { name in
            if let known = networks[name] { return known }
            guard let place = places[name] else { return nil }
            let network = try ModelLoader.network(
                path: "\(models)/\(place)/\(name).safetensors", weightType: nil, warn: { _ in })
            networks[name] = DiffusionModel(network: network)
            return networks[name]
        }
        #expect(outcomes.count == 202)
        for outcome in outcomes {
            #expect(outcome.error <= 1e-3, "\(outcome.id) is off by \(outcome.error)")
            if let error = outcome.trajectoryError {
                #expect(error <= 1e-3, "the way of \(outcome.id) is off by \(error)")
            }
            #expect(outcome.calls.made == outcome.calls.expected, "evaluations of \(outcome.id)")
            #expect(outcome.reports.made == outcome.reports.expected, "reports of \(outcome.id)")
        }
    }
}
