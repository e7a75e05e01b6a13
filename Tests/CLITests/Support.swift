import Foundation
import GraphRun
import NodeKit
import Synchronization
import Tensors

/// Keeps what the program writes.
final class RecordingConsole: Console {
    private let state = Mutex((out: "", notes: ""))
    let terminalWidth: Int?
    init(terminalWidth: Int? = nil) { self.terminalWidth = terminalWidth }
    func print(_ text: String) { state.withLock { $0.out += text + "\n" } }
    func note(_ text: String) { state.withLock { $0.notes += text } }
    var output: String { state.withLock { $0.out } }
    var notes: String { state.withLock { $0.notes } }
    var outputLines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Interrupts that a test's node causes.
final class TestInterrupts: InterruptSource {
    private let actions = Mutex<(cancel: @Sendable () -> Void, abort: @Sendable () -> Void)?>(nil)
    func listen(cancel: @escaping @Sendable () -> Void, abort: @escaping @Sendable () -> Void) {
        actions.withLock { $0 = (cancel, abort) }
    }
    func interrupt() { actions.withLock { $0 }?.cancel() }
    func abort() { actions.withLock { $0 }?.abort() }
}

struct NumberNode: Node {
    static let info = NodeInfo("Number", displayName: "A number", category: "test")
    @Input(.range(0...1000), .controlAfterGenerate) var seed = 7
    @Output("value") var value: Int
    func run(_ context: NodeContext) async throws { value = seed }
}

struct VectorNode: Node {
    static let info = NodeInfo("Vector", category: "test")
    @Input var value: Int
    @Output("sigmas") var sigmas: Sigmas
    @Output("parts") var parts: [Sigmas]
    func run(_ context: NodeContext) async throws {
        sigmas = Sigmas([Float(value), 0.5])
        parts = [Sigmas([1]), Sigmas([2, 3])]
    }
}

struct LoadNode: Node {
    static let info = NodeInfo("Load", category: "test")
    @Input(.files("loras")) var name: String
    @Output("path") var path: String
    func run(_ context: NodeContext) async throws { path = name }
}

/// Saves its value as a file and shows it.
struct SaveNode: Node {
    static let info = NodeInfo("Save", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    @Input var name = "file"
    func run(_ context: NodeContext) async throws {
        try "\(value.base) \(context.prompt.text()) \(context.extraPNGInfo["workflow"]?.text() ?? "")"
            .write(toFile: context.files.outputFolder + "/\(name).txt", atomically: false, encoding: .utf8)
        context.show([
            "images": .array([
                .object(["filename": .string(name + ".txt"), "subfolder": .string(""), "type": .string("output")])
            ])
        ])
    }
}

struct FailNode: Node {
    static let info = NodeInfo("Fail", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    func run(_ context: NodeContext) async throws { throw NodeError("this node always fails") }
}

/// Many steps; writes a preview first.
struct StepsNode: Node {
    static let info = NodeInfo("Steps", category: "test", isOutput: true)
    @Input var steps: Int
    func run(_ context: NodeContext) async throws {
        try "x".write(toFile: context.files.temporaryFolder + "/preview", atomically: false, encoding: .utf8)
        context.warn("temporary folder: \(context.files.temporaryFolder)")
        for step in 0..<steps {
            try context.checkCancellation()
            context.progress(step + 1, of: steps)
            if steps > 100 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }
}

let testComposition = Composition(
    packs: {
        [
            NodePack(
                "test", module: "nodes",
                nodes: [
                    NumberNode.self, VectorNode.self, LoadNode.self, SaveNode.self, FailNode.self, StepsNode.self,
                ])
        ]
    }, backend: Composition.standard.backend)

/// A folder with workflows, and the program in it.
final class Workplace: Sendable {
    let path: String
    let console: RecordingConsole
    let interrupts = TestInterrupts()

    init(terminalWidth: Int? = nil) throws {
        path = NSTemporaryDirectory() + "/graphrun-cli-\(UUID().uuidString)"
        console = RecordingConsole(terminalWidth: terminalWidth)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult func file(_ name: String, _ content: String) throws -> String {
        try content.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        return "\(path)/\(name)"
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    var folderArguments: [String] {
        ["--models", "\(path)/models", "--input", "\(path)/input", "--output", "\(path)/output"]
    }

    func run(_ arguments: String...) async -> ProgramStatus {
        await Program(composition: testComposition, console: console, interrupts: interrupts).run(arguments)
    }

    /// Runs a workflow with the folders of this place.
    func runWorkflow(_ workflow: String, _ arguments: String...) async throws -> ProgramStatus {
        let file = try file("workflow.json", workflow)
        // Not the cache of whoever runs the tests.
        let cache = arguments.contains("--no-cache") ? [] : ["--cache", "\(path)/cache"]
        return await Program(composition: testComposition, console: console, interrupts: interrupts)
            .run([file] + folderArguments + cache + arguments)
    }
}

enum Sample {
    static let good = """
        {"1": {"class_type": "Number", "inputs": {"seed": 3}, "_meta": {"title": "My number"}},
         "2": {"class_type": "Save", "inputs": {"value": ["1", 0], "name": "a"}}}
        """
    static let failing = """
        {"1": {"class_type": "Number", "inputs": {"seed": 3}},
         "2": {"class_type": "Fail", "inputs": {"value": ["1", 0]}, "_meta": {"title": "Bad one"}}}
        """
    static let invalid = """
        {"1": {"class_type": "Number", "inputs": {"seed": 3000}, "_meta": {"title": "My number"}},
         "2": {"class_type": "Save", "inputs": {"value": ["1", 0], "name": "a"}}}
        """
    static let partlyInvalid = """
        {"1": {"class_type": "Number", "inputs": {"seed": 3}},
         "2": {"class_type": "Save", "inputs": {"value": ["1", 0], "name": "a"}},
         "3": {"class_type": "Save", "inputs": {"name": "b"}}}
        """
    static func steps(_ count: Int) -> String {
        "{\"1\": {\"class_type\": \"Steps\", \"inputs\": {\"steps\": \(count)}}}"
    }
    static let vectors = """
        {"1": {"class_type": "Number", "inputs": {"seed": 3}}, "2": {"class_type": "Vector", "inputs": {"value": ["1", 0]}},
         "3": {"class_type": "Save", "inputs": {"value": ["2", 0], "name": "a"}},
         "4": {"class_type": "Save", "inputs": {"value": ["2", 1], "name": "b"}}}
        """
    static let frontEnd = """
        {"nodes": [
          {"id": 1, "type": "Number", "mode": 0, "inputs": [], "widgets_values": [42, "fixed"],
           "outputs": [{"name": "value", "type": "INT", "links": [1]}]},
          {"id": 2, "type": "Save", "mode": 0, "inputs": [{"name": "value", "type": "*", "link": 1}], "widgets_values": ["ui"]}],
         "links": [[1, 1, 0, 2, 0, "INT"]], "version": 0.4}
        """
}
