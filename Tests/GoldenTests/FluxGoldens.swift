import Checkpoints
import Foundation
import JSON
import Tensors
import TestSupport
import Testing
import Workflow

/// FLUX workflows against what the reference computed in fp32 (goldens "flux").
@Suite(
    .enabled(
        if: Vocabularies.folder != nil,
        "needs the released CLIP and T5 vocabularies: set GRAPHRUN_TOKENIZERS to a folder with clip/ and t5/"))
struct FluxGoldens {
    static let cases = [
        "t2i-turbo", "t2i-turbo-fp8", "t2i-truecfg", "t2i-custom-advanced", "i2i-noise-mask", "inpaint-alimama-turbo",
        "inpaint-alimama-truecfg", "t2i-checkpoint", "t2i-schnell", "t2i-lora-kohya-clip", "t2i-two-loras",
        "cnet-union", "cnet-chained", "t2i-odd-size", "t2i-diffusers-keys-shift-heun",
    ]

    /// The issue asks for 1e-3 (1e-4 for conditioning). What is computed here is nearer by an order of magnitude, and
    /// the smallest effect a case shows (the Union mode token) is 1.6e-3, so the limit is 1e-4 for all.
    static let tolerance = 1e-4

    @Test(arguments: cases) func equalsTheReference(_ name: String) async throws {
        let run = try await GoldenRun.run("flux", name, precision: .float32)
        let expected = try CheckpointFile(
            path: Cases.folder.appendingPathComponent("flux/\(name).expected.safetensors").path)
        #expect(!expected.keys.isEmpty)
        for key in expected.keys {
            let reference = try #require(try expected.tensor(key))
            guard let actual = run.outputs[key] else {
                Issue.record("\(name): \(key) is missing")
                continue
            }
            #expect(actual.shape == reference.shape, "\(name): \(key)")
            guard actual.shape == reference.shape else { continue }
            let error = try relativeError(actual, reference)
            #expect(error <= Self.tolerance, "\(name): \(key) is off by \(error)")
        }
    }

    /// bf16 products against fp32 ones: at least 35 dB on every picture.
    @Test(arguments: ["t2i-turbo", "inpaint-alimama-turbo", "t2i-truecfg", "t2i-schnell", "cnet-union"])
    func bfloat16Pictures(_ name: String) async throws {
        let exact = try await GoldenRun.run("flux", name, precision: .float32)
        let fast = try await GoldenRun.run("flux", name, precision: .bfloat16)
        let pictures = exact.outputs.filter { $0.value.shape.rank == 4 && $0.value.shape.last == 3 }
        #expect(!pictures.isEmpty)
        for (key, picture) in pictures {
            let other = try #require(fast.outputs[key])
            let (a, b) = (try picture.floats(), try other.floats())
            let mean = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) } / Double(a.count)
            #expect(mean == 0 || -10 * log10(mean) >= 35, "\(name): \(key) has \(-10 * log10(mean)) dB")
        }
    }
}
