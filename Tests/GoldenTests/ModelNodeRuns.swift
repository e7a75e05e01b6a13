import Foundation
import JSON
import TestSupport
import Testing
import Workflow

/// Nodes that change a model, in a whole workflow: the picture changes, without and with their neutral values.
struct ModelNodeRuns {
    struct Change: Sendable, CustomTestStringConvertible {
        var node: String
        /// JSON.
        var inputs: String
        /// Whether the result is the plain one.
        var isNeutral = false
        var testDescription: String { "\(node) \(isNeutral ? "neutral" : "")" }
    }

    static let changes: [Change] = [
        Change(node: "CFGNorm", inputs: #"{"strength": 1}"#), Change(node: "CFGZeroStar", inputs: #"{}"#),
        Change(node: "TCFG", inputs: #"{}"#),
        Change(node: "APG", inputs: #"{"eta": 0.5, "norm_threshold": 5, "momentum": 0.1}"#),
        Change(node: "APG", inputs: #"{"eta": 1, "norm_threshold": 0, "momentum": 0}"#, isNeutral: true),
        Change(node: "FreSca", inputs: #"{"scale_low": 1, "scale_high": 1.25, "freq_cutoff": 2}"#),
        Change(node: "FreSca", inputs: #"{"scale_low": 1, "scale_high": 1, "freq_cutoff": 2}"#, isNeutral: true),
        Change(node: "Epsilon Scaling", inputs: #"{"scaling_factor": 1.05}"#),
        Change(node: "Epsilon Scaling", inputs: #"{"scaling_factor": 1}"#, isNeutral: true),
        Change(
            node: "EasyCache",
            inputs: #"{"reuse_threshold": 0.9, "start_percent": 0, "end_percent": 1, "verbose": false}"#),
        Change(
            node: "EasyCache",
            inputs: #"{"reuse_threshold": 0, "start_percent": 0, "end_percent": 1, "verbose": false}"#, isNeutral: true),
        shrink(block: 3, by: 2, until: 0.35, afterSkip: true, "bicubic", "bicubic"),
        shrink(block: 11, by: 2, until: 1, afterSkip: true, "area", "bislerp"),
        shrink(block: 4, by: 1.5, until: 1, afterSkip: false, "bilinear", "nearest-exact"),
        Change(node: "SelfAttentionGuidance", inputs: #"{"scale": 0.5, "blur_sigma": 2}"#),
        Change(node: "SelfAttentionGuidance", inputs: #"{"scale": 0, "blur_sigma": 2}"#, isNeutral: true),
        Change(node: "UNetSelfAttentionMultiply", inputs: #"{"q": 1.1, "k": 1, "v": 0.9, "out": 1}"#),
        Change(node: "UNetCrossAttentionMultiply", inputs: #"{"q": 1, "k": 1, "v": 1, "out": 1}"#, isNeutral: true),
        Change(node: "TorchCompileModel", inputs: #"{"backend": "inductor"}"#, isNeutral: true),
    ]

    private static func shrink(
        block: Int, by factor: Double, until end: Double, afterSkip: Bool, _ down: String, _ up: String
    ) -> Change {
        Change(
            node: "PatchModelAddDownscale",
            inputs: """
                {"block_number": \(block), "downscale_factor": \(factor), "start_percent": 0, "end_percent": \(end),
                "downscale_after_skip": \(afterSkip), "downscale_method": "\(down)", "upscale_method": "\(up)"}
                """)
    }

    @Test(.enabled(if: Vocabularies.folder != nil, "needs the released vocabularies"), arguments: changes)
    func changesThePicture(_ change: Change) async throws {
        let plain = try #require(try await Self.plain.value.outputs["5.0.samples"]).floats()
        let run = try await GoldenRun.run("sd15", "t2i", precision: .float32) { prompt in
            var node = PromptNode(classType: change.node)
            node.inputs["model"] = .link(PromptLink(node: "1", slot: 0))
            let inputs = try? JSON(parsing: Array(change.inputs.utf8)).objectValue
            for (name, value) in inputs ?? [:] { node.inputs[name] = .literal(value) }
            prompt["90"] = node
            prompt["5"]?.inputs["model"] = .link(PromptLink(node: "90", slot: 0))
        }
        let changed = try #require(run.outputs["5.0.samples"]).floats()
        #expect(!changed.contains { !$0.isFinite })
        var (difference, size): (Float, Float) = (0, 0)
        for (a, b) in zip(changed, plain) {
            difference += (a - b) * (a - b)
            size += b * b
        }
        let error = (difference / size).squareRoot()
        if change.isNeutral {
            #expect(error < 1e-4, "\(error)")
        } else {
            #expect(error > 1e-3 && error < 3, "\(error)")
        }
    }

    private static let plain = Task { try await GoldenRun.run("sd15", "t2i", precision: .float32) }
}
