import CPUBackend
import Checkpoints
import CoreNodes
import CustomScriptsNodes
import Engine
import Foundation
import JPSNodes
import JSON
import KJNodes
import ModelMaker
import NodeKit
import RgthreeNodes
import Synchronization
import Tensors
import TestSupport
import Testing
import Workflow

/// Runs golden workflows as the program does and keeps what every node returned.
struct GoldenRun {
    let outputs: [String: Tensor]

    static let packs = [corePack, kjNodesPack, rgthreePack, customScriptsPack, jpsPack]

    /// - Parameters:
    ///   - family: folder of the case; `name` its file without extension.
    ///   - change: edits the workflow's JSON first.
    static func run(
        _ family: String, _ name: String, precision: DType, change: (inout Prompt) -> Void = { _ in }
    ) async throws -> GoldenRun {
        let cases = Cases.folder.appendingPathComponent(family)
        var prompt = try #require(
            try WorkflowFile.load(path: cases.appendingPathComponent(name + ".json").path).prompt)
        change(&prompt)
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("graphrun-golden-\(UUID())")
        defer { try? FileManager.default.removeItem(at: output) }
        let files = try ModelFolders(
            models: GoldenModels.folder(), input: cases.appendingPathComponent("input").path, output: output.path)
        let engine = GraphEngine(
            registry: NodeRegistry(packs), backend: CPUBackend(precision: precision, threads: 2), files: files,
            cache: ResultCache(byteLimit: 1 << 28))
        let report = await engine.validate(prompt)
        #expect(report.isClean, "\(report.json.text(.pretty))")
        let valid = try #require(report.validated)
        let collected = Collected()
        let result = await engine.run(
            valid,
            options: RunOptions(resultObserver: { node, slots in collected.add(node, slots) }))
        guard case .success = result.status else {
            Issue.record("the run failed: \(result.status)")
            return GoldenRun(outputs: [:])
        }
        return GoldenRun(outputs: collected.tensors)
    }

    private final class Collected: Sendable {
        private let state = Mutex([String: Tensor]())
        var tensors: [String: Tensor] { state.withLock { $0 } }

        func add(_ node: String, _ slots: [[any NodeValue]]) {
            for (index, values) in slots.enumerated() {
                guard let value = values.first else { continue }
                for (suffix, tensor) in value.exportedTensors {
                    state.withLock { $0["\(node).\(index)\(suffix)"] = tensor }
                }
            }
        }
    }
}

enum Cases {
    static let folder = Bundle.module.bundleURL.appendingPathComponent("Cases")
}

/// The miniature checkpoints, made from their manifests once per build folder.
enum GoldenModels {
    private static let made = Mutex<String?>(nil)

    static func folder() throws -> String {
        try made.withLock { known in
            if let known { return known }
            let target = Vocabularies.packageRoot.appendingPathComponent(".build/golden-models")
            try ManifestFolder(Cases.folder.path).write(to: target.path)
            let models = target.appendingPathComponent("models")
            let tokenizers = models.appendingPathComponent("tokenizers")
            if let released = Vocabularies.folder, !FileManager.default.fileExists(atPath: tokenizers.path) {
                try FileManager.default.createSymbolicLink(
                    at: tokenizers, withDestinationURL: URL(fileURLWithPath: released))
            }
            known = models.path
            return models.path
        }
    }
}
