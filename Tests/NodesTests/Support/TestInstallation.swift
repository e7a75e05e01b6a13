import Foundation
import JSON
import NodeKit
import Synchronization
import TestSupport

/// Folders of an installation in a temporary place, and a record of what nodes say. Removed with the object.
final class TestInstallation: NodeFiles, NodeEvents, Sendable {
    let root: String
    private struct Record {
        var shown: [JSONObject] = []
        var warnings: [String] = []
        var progress: [String] = []
        var resumed: [String] = []
        var previews: [StepPreview] = []
        var cancelAfter = Int.max
    }
    private let record = Mutex(Record())

    init() throws {
        root = NSTemporaryDirectory() + "graphrun-nodes-" + UUID().uuidString
        for folder in ["input", "output", "temp", "models"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func context(node: String = "7", prompt: JSON = .null, extraPNGInfo: JSONObject = JSONObject()) -> NodeContext {
        NodeContext(
            nodeID: node, backend: ReferenceBackend(), files: self, events: self, prompt: prompt,
            extraPNGInfo: extraPNGInfo)
    }

    var shown: [JSONObject] { record.withLock { $0.shown } }
    var warnings: [String] { record.withLock { $0.warnings } }
    /// "step/total" of every report.
    var progress: [String] { record.withLock { $0.progress } }
    /// "done/total" of every resumption.
    var resumed: [String] { record.withLock { $0.resumed } }
    var previews: [StepPreview] { record.withLock { $0.previews } }
    /// Lets `checkCancellation` throw after this many reports of progress.
    func cancel(after reports: Int) { record.withLock { $0.cancelAfter = reports } }

    /// Puts a file into a model folder.
    func add(model folder: String, _ name: String, _ data: Data) throws {
        let path = "\(root)/models/\(folder)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try data.write(to: URL(filePath: "\(path)/\(name)"))
    }

    /// Puts a picture of the fixtures into the input folder.
    func add(input name: String) throws {
        let source = Fixture.path("input/\(name)")
        try FileManager.default.copyItem(atPath: source, toPath: "\(root)/input/\(name)")
    }

    func model(_ folder: String, _ name: String) throws -> String {
        let path = "\(root)/models/\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { throw NodeError("no \(folder) file \"\(name)\"") }
        return path
    }
    func modelNames(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/models/\(folder)").sorted()) ?? []
    }
    func modelFolders(_ folder: String) -> [String] { ["\(root)/models/\(folder)"] }
    func input(_ name: String) throws -> String {
        let isOutput = name.hasSuffix(" [output]")
        let path = isOutput ? "\(root)/output/\(name.dropLast(9))" : "\(root)/input/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { throw NodeError("no file \"\(name)\"") }
        return path
    }
    func inputNames() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/input").sorted()) ?? []
    }
    var outputFolder: String { root + "/output" }
    var temporaryFolder: String { root + "/temp" }
    func fingerprint(path: String) throws -> String { path }

    func checkCancellation() throws {
        if record.withLock({ $0.progress.count >= $0.cancelAfter }) { throw CancellationError() }
    }
    func progress(node: String, done: Double, total: Double) {
        record.withLock { $0.progress.append("\(Int(done))/\(Int(total))") }
    }
    func resumed(node: String, done: Int, total: Int) { record.withLock { $0.resumed.append("\(done)/\(total)") } }
    func preview(node: String, _ preview: StepPreview) { record.withLock { $0.previews.append(preview) } }
    func warning(node: String, _ message: String) { record.withLock { $0.warnings.append(message) } }
    func ui(node: String, _ output: JSONObject) { record.withLock { $0.shown.append(output) } }
}

/// Files of this test target.
enum Fixture {
    static func path(_ name: String) -> String {
        Bundle.module.resourceURL.map { $0.appending(path: "Files/" + name).path() } ?? name
    }
    static func json(_ name: String) throws -> JSON {
        try JSON(parsing: [UInt8](Data(contentsOf: URL(filePath: path(name)))))
    }
}
