import Engine
import Foundation
import JSON
import NodeKit
import Synchronization
import Testing
import Workflow

/// Counts to `count`, one record each; stops the run, or fails, after `stopAfter` new ones.
private struct CountingNode: Node {
    static let info = NodeInfo("Counting", category: "test")
    @Input var count: Int
    @Input var name: String
    @Output var result: String

    func run(_ context: NodeContext) async throws {
        let journal = context.journal(name)
        var computed = 0
        for number in 0..<count {
            if let kept = journal?.record(number), kept == [UInt8(truncatingIfNeeded: number)] { continue }
            switch Trouble.now.withLock({ $0 }) {
            case .failing(let after) where computed == after: throw NodeError("trouble")
            case .cancelling(let after) where computed == after: throw CancellationError()
            default: break
            }
            journal?.append([UInt8(truncatingIfNeeded: number)])
            computed += 1
        }
        result = "\(computed) of \(count), journal \(journal == nil ? "no" : "yes")"
    }
}

private enum Trouble {
    case none
    case failing(after: Int)
    case cancelling(after: Int)
    static let now = Mutex(Trouble.none)
}

private struct BrokenNode: Node {
    static let info = NodeInfo("Broken", category: "test", isOutput: true)
    @Input var value: String
    func run(_ context: NodeContext) async throws {
        if case .failing = Trouble.now.withLock({ $0 }) { throw NodeError("trouble") }
        context.show(["text": .array([.string(value)])])
    }
}

@Suite(.serialized) struct ResumeRunTests {
    private let folder: TemporaryFolder
    init() throws { folder = TemporaryFolder() }

    private func run(
        _ trouble: Trouble = .none, prompt: Prompt? = nil, keeps: Bool = true
    ) async -> (result: RunResult, log: EventLog) {
        Trouble.now.withLock { $0 = trouble }
        let pack = NodePack(
            "resume",
            definitions: stubPack.definitions + [NodeDefinition(CountingNode.self), NodeDefinition(BrokenNode.self)])
        // A new engine each time, as in a new process: nothing but the folder is left of earlier runs.
        let engine = GraphEngine(
            registry: NodeRegistry([pack]), backend: StubBackend(), files: StubFiles(),
            cache: ResultCache(byteLimit: 1 << 20),
            resume: keeps ? ResumeFolder(path: folder.path, version: "test") : nil)
        let log = EventLog()
        let report = await engine.validate(prompt ?? counting)
        guard let valid = report.validated else {
            Issue.record("\(report.json.text(.pretty))")
            return (RunResult(), log)
        }
        return (await engine.run(valid) { log.append($0) }, log)
    }

    private let counting = Prompt([
        node("c", "Counting", ["count": 10, "name": "numbers"]), node("out", "Broken", ["value": link("c")]),
    ])

    private func text(_ result: RunResult) -> JSON? { result.outputs["out"]?["text"]?[0] }

    @Test func workOfAFailedNodeIsTakenUpAndThenRemoved() async {
        let failed = await run(.failing(after: 4))
        guard case .failed = failed.result.status else { return #expect(Bool(false), "it should have failed") }
        #expect(folder.files.count == 1)
        _ = await run(.cancelling(after: 3))
        #expect(folder.files.count == 1)
        let done = await run()
        #expect(text(done.result) == "3 of 10, journal yes")
        #expect(folder.files.isEmpty)
        #expect(text(await run().result) == "10 of 10, journal yes")
    }

    /// The node is done, but a later one fails: its result is gone with the process, its work is not.
    @Test func workIsKeptUntilTheRunHasSucceeded() async {
        // Ten records are computed without trouble, the output fails.
        let failed = await run(.failing(after: 10))
        guard case .failed(let failure) = failed.result.status, failure.nodeID == "out" else {
            return #expect(Bool(false), "the output should have failed")
        }
        #expect(folder.files.count == 1)
        #expect(text(await run().result) == "0 of 10, journal yes")
        #expect(folder.files.isEmpty)
    }

    @Test func everyCallOfAMappedNodeHasItsOwn() async {
        let mapped = Prompt([
            node("r", "Range", ["count": 3]), node("c", "Counting", ["count": link("r"), "name": "numbers"]),
            node("out", "Broken", ["value": link("c")]),
        ])
        // Calls count to 1, 2 and 3; trouble comes in the third.
        _ = await run(.failing(after: 2), prompt: mapped)
        #expect(folder.files.count == 3)
        let done = await run(prompt: mapped)
        #expect(
            done.result.outputs["out"]?["text"]
                == .array(
                    ["0 of 1, journal yes", "0 of 2, journal yes", "1 of 3, journal yes"]))
        #expect(folder.files.isEmpty)
    }

    @Test func otherInputsAreOtherWork() async {
        _ = await run(.failing(after: 4))
        var changed = counting
        changed["c"]?.inputs["count"] = 9
        #expect(text(await run(prompt: changed).result) == "9 of 9, journal yes")
        #expect(folder.files.count == 1, "the other's work is still there")
    }

    @Test func withoutAFolderNodesRunAllTheSame() async {
        #expect(text(await run(keeps: false).result) == "10 of 10, journal no")
        #expect(folder.files.isEmpty)
    }

    @Test(arguments: ["", "../up", "A", "a/b", "a b", String(repeating: "a", count: 41), "ü"])
    func namesCannotLeaveTheFolder(name: String) async {
        var changed = counting
        changed["c"]?.inputs["name"] = .literal(.string(name))
        let done = await run(prompt: changed)
        #expect(text(done.result) == "10 of 10, journal no")
        #expect(done.log.lines.contains { $0.hasPrefix("warning c a journal's name") })
        #expect(folder.files.isEmpty)
    }
}
