import Engine
import JSON
import NodeKit
import OrderedCollections
import Synchronization
import Workflow

/// Files that exist only by name; the fingerprint is whatever the test sets.
final class StubFiles: NodeFiles {
    let models: [String: [String]]
    let pictures: [String]
    let versions = Mutex<[String: String]>([:])

    init(
        models: [String: [String]] = ["loras": ["a.safetensors", "sub/b.safetensors"]], pictures: [String] = ["x.png"]
    ) {
        self.models = models
        self.pictures = pictures
    }

    func model(_ folder: String, _ name: String) throws -> String {
        guard modelNames(folder).contains(name) else { throw NodeError("no \(name) in \(folder)") }
        return "/models/\(folder)/\(name)"
    }
    func modelNames(_ folder: String) -> [String] { models[folder] ?? [] }
    func modelFolders(_ folder: String) -> [String] { ["/models/\(folder)"] }
    func input(_ name: String) throws -> String {
        guard pictures.contains(name) else { throw NodeError("no picture \(name)") }
        return "/input/\(name)"
    }
    func inputNames() -> [String] { pictures }
    var outputFolder: String { "/output" }
    var temporaryFolder: String { "/temp" }
    func fingerprint(path: String) throws -> String { versions.withLock { $0[path] ?? "first" } }
}

/// What a run said.
final class EventLog: Sendable {
    private let events = Mutex<[EngineEvent]>([])
    func append(_ event: EngineEvent) { events.withLock { $0.append(event) } }
    var all: [EngineEvent] { events.withLock { $0 } }
    /// "executing 1", "executed 2", …
    var lines: [String] {
        all.compactMap { event in
            switch event.kind {
            case .executing(let node): "executing \(node)"
            case .executed(let node, let output):
                "executed \(node) \(output.map { JSON.object($0).text() } ?? "null")"
            case .executionCached(let nodes): "cached \(nodes)"
            case .progress(let node, let done, let total): "progress \(node) \(Int(done))/\(Int(total))"
            case .resumed(let node, let done, let total): "resumed \(node) \(done)/\(total)"
            case .preview(let node, let preview): "preview \(node) \(preview.step)/\(preview.total)"
            case .executionBlocked(let node, let type, let message): "blocked \(node) \(type) \(message)"
            case .warning(let node, let message): "warning \(node ?? "-") \(message)"
            case .executionError(let failure): "error \(failure.nodeID) \(failure.message)"
            case .executionInterrupted(let node, _, _): "interrupted \(node ?? "-")"
            case .nodeFinished: nil
            case .executionStart: "start"
            case .executionSuccess: "success"
            }
        }
    }
}

/// One engine with the stub nodes, and the way tests use it.
struct Harness {
    let engine: GraphEngine
    let files: StubFiles
    /// One node at a time: tests of the order of things.
    var parallelNodes = 1

    init(
        files: StubFiles = StubFiles(), cacheBytes: Int = 1 << 30, packs: [NodePack] = [stubPack],
        cache: ResultCache? = nil, store: ResultStore? = nil
    ) {
        self.files = files
        engine = GraphEngine(
            registry: NodeRegistry(packs), backend: StubBackend(), files: files,
            cache: cache ?? ResultCache(byteLimit: cacheBytes), store: store)
    }

    struct Outcome {
        var report: ValidationReport
        var result: RunResult
        var log: EventLog
    }

    func run(_ prompt: Prompt, targets: [String]? = nil, options: RunOptions = RunOptions()) async -> Outcome {
        let log = EventLog()
        let report = await engine.validate(prompt, targets: targets)
        guard let validated = report.validated else { return Outcome(report: report, result: RunResult(), log: log) }
        var options = options
        options.parallelNodes = parallelNodes
        let result = await engine.run(validated, options: options) { log.append($0) }
        return Outcome(report: report, result: result, log: log)
    }
}

/// `node("3", "Add", ["a": link("1"), "b": 2])`
func node(_ id: String, _ type: String, _ inputs: KeyValuePairs<String, PromptValue> = [:]) -> Prompt.Entry {
    Prompt.Entry(
        id: id,
        node: PromptNode(
            classType: type, inputs: OrderedDictionary(uniqueKeysWithValues: inputs.map { ($0.key, $0.value) })))
}

func link(_ id: String, _ slot: Int = 0) -> PromptValue { .link(PromptLink(node: id, slot: slot)) }
func value(_ json: JSON) -> PromptValue { .literal(json) }

extension Prompt {
    struct Entry {
        var id: String
        var node: PromptNode
    }

    init(_ entries: [Entry]) {
        self.init(nodes: OrderedDictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.node) }))
    }
}

extension PromptValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int) { self = .literal(.int(Int64(value))) }
    public init(stringLiteral value: String) { self = .literal(.string(value)) }
}

extension JSON: @retroactive ExpressibleByIntegerLiteral, @retroactive ExpressibleByStringLiteral {
    public init(integerLiteral value: Int) { self = .int(Int64(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
}

/// A number, `length` − 1 additions of 1, and a node that shows the sum.
func chain(_ length: Int) -> Prompt {
    var nodes = [node("0", "Number", ["value": 0])]
    for index in 1..<length { nodes.append(node("\(index)", "Add", ["a": link("\(index - 1)"), "b": 1])) }
    nodes.append(node("s", "Show", ["value": link("\(length - 1)")]))
    return Prompt(nodes)
}
