import Foundation
import JSON
import NodeKit
import Tensors
import TestSupport
import Testing
import Workflow

@testable import Engine

/// Multiplies matrices in three steps.
private struct ProductNode: Node {
    static let info = NodeInfo("Product", category: "test")
    @Input var size: Int
    @Output var result: Int
    func run(_ context: NodeContext) async throws {
        let x = try Tensor.full([1, 2, size], 1)
        let weight = LinearWeight(matrix: try Tensor.full([5, size], 0.5))
        for step in 1...3 {
            let y = try context.backend.linear(x, weight)
            _ = try context.backend.add(y, y)
            context.progress(step, of: 3)
        }
        result = size
    }
}

/// An operation that the backend refuses.
private struct WrongProductNode: Node {
    static let info = NodeInfo("WrongProduct", category: "test")
    @Input var size: Int
    @Output var result: Int
    func run(_ context: NodeContext) async throws {
        let x = try Tensor.full([1, 2, size], 1)
        _ = try context.backend.linear(x, LinearWeight(matrix: try Tensor.full([5, size + 1], 0.5)))
        result = size
    }
}

/// One line of a trace.
private struct Event {
    var name: String
    var phase: String
    var category: String
    var row: Int
    var start: Double
    var duration: Double
    var arguments: JSON
    var end: Double { start + duration }

    init(_ json: JSON) throws {
        name = json["name"]?.stringValue ?? ""
        phase = try #require(json["ph"]?.stringValue)
        category = json["cat"]?.stringValue ?? ""
        row = Int(try #require(json["tid"]?.doubleNumber))
        start = try #require(json["ts"]?.doubleNumber)
        duration = json["dur"]?.doubleNumber ?? 0
        arguments = try #require(json["args"])
        #expect(json["pid"] == .int(1))
    }
}

extension JSON {
    fileprivate var doubleNumber: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

@Suite struct TraceTests {
    private let folder: TemporaryFolder
    private let path: String
    init() throws {
        folder = TemporaryFolder()
        path = folder.path + "/trace.json"
    }

    private let products = Prompt([
        node("a", "Product", ["size": 64]), node("b", "Product", ["size": 32]),
        node("sum", "Add", ["a": link("a"), "b": link("b")]), node("out", "Show", ["value": link("sum")]),
    ])

    private func run(_ prompt: Prompt, _ trace: RunTrace) async throws {
        let pack = NodePack(
            "trace",
            definitions: stubPack.definitions + [
                NodeDefinition(ProductNode.self), NodeDefinition(WrongProductNode.self),
            ])
        let engine = GraphEngine(
            registry: NodeRegistry([pack]), backend: trace.traced(ReferenceBackend()), files: StubFiles(),
            cache: ResultCache(byteLimit: 1 << 20))
        let valid = try #require(await engine.validate(prompt).validated)
        _ = await engine.run(valid) { trace.observe($0) }
    }

    private func events() throws -> [Event] {
        let array = try #require(try JSON(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).arrayValue)
        return try array.map(Event.init)
    }

    /// The spans of a row from their beginnings and ends, outermost first.
    private func spans(_ events: [Event]) throws -> [Event] {
        var spans = events.filter { $0.phase == "X" }
        var open: [Int: [Event]] = [:]
        for event in events where event.phase == "B" || event.phase == "E" {
            if event.phase == "B" {
                open[event.row, default: []].append(event)
            } else {
                let last = open[event.row]?.popLast()
                var begun = try #require(last, "an end without a beginning")
                begun.duration = event.start - begun.start
                spans.append(begun)
            }
        }
        let unfinished = open.values.flatMap { $0 }
        #expect(unfinished.isEmpty, "a beginning without an end")
        return spans
    }

    @Test func nodesStepsAndOperationsNest() async throws {
        let trace = try RunTrace(path: path, names: ["a": "first \"product\"\n", "b": "second"])
        try await run(products, trace)
        trace.close()
        let events = try events()
        let spans = try spans(events)
        let nodes = spans.filter { $0.category == "node" }
        #expect(Set(nodes.map(\.name)) == ["first \"product\"\n", "second", "sum", "out"])
        #expect(nodes.first { $0.name == "second" }?.arguments["node"] == .string("b"))
        let steps = spans.filter { $0.category == "step" }
        #expect(steps.map(\.name).sorted() == (1...3).flatMap { Array(repeating: "step \($0) of 3", count: 2) })
        let operations = spans.filter { $0.category == "operation" }
        #expect(operations.count { $0.name == "linear" } == 6 && operations.count { $0.name == "add" } == 6)
        for operation in operations {
            #expect(
                steps.contains {
                    $0.row == operation.row && $0.start <= operation.start && operation.end <= $0.end + 1e-3
                })
        }
        for step in steps {
            #expect(nodes.contains { $0.row == step.row && $0.start <= step.start && step.end <= $0.end + 1e-3 })
        }
        // On a row, spans lie inside each other or apart.
        for a in spans {
            for b in spans where a.row == b.row && a.start < b.start {
                #expect(b.start >= a.end - 1e-3 || b.end <= a.end + 1e-3, "\(a) crosses \(b)")
            }
        }
        #expect(events.contains { $0.phase == "M" && $0.name == "thread_name" && $0.row == 1 })
        #expect(events.contains { $0.name == "execution_success" })
    }

    @Test func operationsSayWhatTheyDid() async throws {
        let trace = try RunTrace(path: path)
        try await run(products, trace)
        trace.close()
        let linear = try #require(
            try events().first { $0.name == "linear" && $0.arguments["x"] == .string("F32 [1, 2, 64]") })
        #expect(linear.arguments["weight"] == .string("F32 [5, 64]"))
        #expect(linear.arguments["result"] == .string("F32 [1, 2, 5]"))
        // 2 · 2 rows · 64 · 5.
        #expect(linear.arguments["GFLOP"]?.doubleNumber.map { abs($0 - 1.28e-6) < 5e-7 } == true)
        #expect(linear.arguments["GFLOP/s"] != nil)
        let add = try #require(try events().first { $0.name == "add" })
        #expect(add.arguments["GFLOP/s"] == nil)
    }

    @Test func failedOperationsAndRunsAreClosed() async throws {
        let trace = try RunTrace(path: path)
        try await run(Prompt([node("w", "WrongProduct", ["size": 3]), node("o", "Show", ["value": link("w")])]), trace)
        trace.close()
        let events = try events()
        let spans = try spans(events)
        #expect(spans.contains { $0.category == "node" && $0.name == "w" })
        #expect(events.contains { $0.name == "linear" && $0.arguments["error"] != nil })
        #expect(events.contains { $0.name == "execution_error" })
    }

    /// A killed process closes nothing: without its last line the file is an array that lacks its end.
    @Test func theFileIsReadableWhileItIsWritten() async throws {
        let trace = try RunTrace(path: path)
        trace.observe(EngineEvent(promptID: "1", timestamp: 0, kind: .executing(NodeIdentity("a"))))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasSuffix(",\n"))
        let array = try #require(try JSON(parsing: String(text.dropLast(2)) + "]").arrayValue)
        #expect(array.last?["name"] == .string("a") && array.last?["ph"] == .string("B"))
        trace.close()
        #expect(try events().count == array.count + 1)
    }

    @Test func nodesAtTheSameTimeHaveRowsOfTheirOwn() throws {
        let trace = try RunTrace(path: path)
        func id(_ text: String) -> NodeIdentity { NodeIdentity(text) }
        func tell(_ kind: EngineEvent.Kind) { trace.observe(EngineEvent(promptID: "1", timestamp: 0, kind: kind)) }
        tell(.executing(id("a")))
        tell(.executing(id("b")))
        tell(.nodeFinished(id("a"), seconds: 0))
        tell(.executing(id("c")))
        // b comes again without having finished: it was waiting for something.
        tell(.executing(id("b")))
        tell(.progress(id("nobody"), done: 1, total: 2))
        tell(.nodeFinished(id("nobody"), seconds: 0))
        tell(.warning(node: "gone", message: "w"))
        tell(.resumed(id("c"), done: 2, total: 3))
        tell(.executionInterrupted(node: "c", classType: nil, executed: []))
        trace.close()
        let events = try events()
        #expect(
            events.filter { $0.phase == "B" }.map { "\($0.name)\($0.row)" } == ["a1", "b2", "c1", "b2"])
        let nodes = try spans(events).filter { $0.category == "node" }
        #expect(nodes.count == 4)
        #expect(events.contains { $0.name == "replay of 2 steps" })
    }

    @Test func filesThatAreNoTraceAreLeftAlone() throws {
        func refusal(_ path: String) -> String {
            do {
                _ = try RunTrace(path: path)
                return ""
            } catch {
                return error.description
            }
        }
        try "{\"1\": {}}".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(refusal(path).contains("is no trace"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"1\": {}}")
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(refusal(link).contains("is no trace"))
        let pipe = folder.path + "/pipe"
        mkfifo(pipe, 0o600)
        #expect(refusal(pipe).contains("is no plain file"))
        #expect(refusal("/dev/null").contains("is no plain file"))
        #expect(refusal("").contains("is no file name") && refusal("a\u{0}b").contains("is no file name"))
        #expect(refusal(folder.path).contains("cannot be written"))
        #expect(refusal(folder.path + "/nowhere/t").contains("No such file"))
        #expect(refusal(String(repeating: "x", count: 5000)).contains("too long"))
        // An empty file and an earlier trace are.
        let fresh = folder.path + "/fresh"
        _ = FileManager.default.createFile(atPath: fresh, contents: nil)
        #expect(refusal(fresh).isEmpty)
        #expect(refusal(fresh).isEmpty)
    }
}
