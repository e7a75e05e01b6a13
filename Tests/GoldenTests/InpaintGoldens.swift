import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing
import Workflow

/// What goes into an inpainting network: the case `flux/inpaint-fill` up to its sampler.
@Suite(.enabled(if: Vocabularies.folder != nil, "needs the released CLIP and T5 vocabularies"))
struct InpaintGoldens {
    @Test func inpaintModelConditioning() async throws {
        let run = try await GoldenRun.run("flux", "inpaint-fill", precision: .float32) { prompt in
            prompt["1"] = nil
            prompt["9"] = nil
            prompt["10"]?.inputs["samples"] = .link(PromptLink(node: "32", slot: 2))
        }
        let expected = try CheckpointFile(
            path: Cases.folder.appendingPathComponent("flux/inpaint-fill.expected.safetensors").path)
        let keys = expected.keys.filter { $0.hasPrefix("30.") || $0.hasPrefix("32.") }
        #expect(keys.count == 11)
        for key in keys {
            let reference = try #require(try expected.tensor(key))
            let actual = try #require(run.outputs[key], "\(key) is missing")
            #expect(actual.shape == reference.shape, "\(key)")
            guard actual.shape == reference.shape else { continue }
            let error = try relativeError(actual, reference)
            #expect(error <= 1e-4, "\(key) is off by \(error)")
        }
        // Left out of the file, being equal to the picture's encoding and to the first conditioning's.
        #expect(run.outputs["32.2.noise_mask"]?.shape == [1, 1, 64, 88])
        #expect(run.outputs["32.1.0.1.concat_mask"]?.shape == [1, 1, 64, 88])
    }
}
