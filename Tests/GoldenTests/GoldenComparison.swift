import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Comparing what a run returned with what the reference did.
enum GoldenComparison {
    /// Every tensor of the case's expectation, by relative RMS error.
    static func expect(
        _ run: GoldenRun, equals family: String, _ name: String, within tolerance: Double
    ) throws {
        let expected = try CheckpointFile(
            path: Cases.folder.appendingPathComponent("\(family)/\(name).expected.safetensors").path)
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
            #expect(error <= tolerance, "\(name): \(key) is off by \(error)")
        }
    }

    /// Every picture of `fast` against the same of `exact`: at least `decibels` of peak signal to noise.
    static func expectPictures(_ fast: GoldenRun, near exact: GoldenRun, decibels: Double, _ name: String) throws {
        let pictures = exact.outputs.filter { $0.value.shape.rank == 4 && $0.value.shape.last == 3 }
        #expect(!pictures.isEmpty)
        for (key, picture) in pictures {
            let other = try #require(fast.outputs[key])
            let (a, b) = (try picture.floats(), try other.floats())
            let mean = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) } / Double(a.count)
            #expect(mean == 0 || -10 * log10(mean) >= decibels, "\(name): \(key) has \(-10 * log10(mean)) dB")
        }
    }
}
