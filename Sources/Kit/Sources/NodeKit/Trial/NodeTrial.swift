public import JSON
import Synchronization
public import Tensors

/// Runs nodes without a program around them, for the tests of a pack.
///
/// ```swift
/// @Test func textIsRepeated() async throws {
///     let result = try await NodeTrial().run(Repeat.self, ["text": "ab", "times": 3])
///     #expect(try result.value("STRING") == "ababab")
/// }
/// ```
/// Inputs are bound as the engine binds them, so that numbers and texts convert. What validation does before (ranges,
/// choices) is not done here.
public final class NodeTrial: Sendable {
    /// The folders that the nodes see; removed with the trial. Models belong into `models/FOLDER`, pictures into `input`.
    public let files: TrialFiles
    /// What the nodes compute with.
    public let backend: any Backend
    private let isCancelled = Atomic(false)

    /// - Parameter backend: one with operations on pictures and numbers only if absent, see ``TrialBackend``.
    /// - Throws: ``NodeError`` when no temporary folder can be made.
    public init(backend: any Backend = TrialBackend()) throws {
        files = try TrialFiles()
        self.backend = backend
    }

    /// Makes ``NodeContext/checkCancellation()`` throw from now on.
    public func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Runs a node once.
    ///
    /// - Parameters:
    ///   - type: the node type.
    ///   - inputs: values by port; an array for an input that takes a list.
    ///   - nodeID: the node's id in the workflow.
    /// - Throws: what the node throws; ``NodeError`` for missing and wrong inputs.
    public func run<N: Node>(
        _ type: N.Type, _ inputs: [String: any OutputValue] = [:], nodeID: String = "1"
    ) async throws -> TrialResult {
        let events = self.events
        let definition = NodeDefinition(type)
        let values = try await definition.run(inputs.mapValues(\.nodeValues), context(nodeID, events))
        return events.result(zip(definition.schema.outputs, values).map { ($0.name, $1) })
    }

    /// The ports that a node asks for, given the inputs that are known.
    public func neededInputs<N: LazyNode>(
        _ type: N.Type, _ inputs: [String: any OutputValue] = [:], nodeID: String = "1"
    ) async throws -> [String] {
        try await NodeDefinition(type).lazyCheck?(inputs.mapValues(\.nodeValues), context(nodeID, events)) ?? []
    }

    private var events: TrialEvents { TrialEvents { [self] in isCancelled.load(ordering: .relaxed) } }

    private func context(_ nodeID: String, _ events: TrialEvents) -> NodeContext {
        NodeContext(nodeID: nodeID, backend: backend, files: files, events: events)
    }
}

/// What a node did in a ``NodeTrial``.
public struct TrialResult: Sendable {
    /// The values of each output, in order of declaration.
    public var outputs: [(name: String, values: [any NodeValue])]
    /// What it gave the front end to show.
    public var shown: JSONObject?
    public var warnings: [String]
    public var progress: [(done: Double, total: Double)]
    /// The pieces of graph that it made; an output linked to one has a ``LinkedOutput`` as its value.
    public var expansions: [Subgraph]

    /// The value of an output.
    ///
    /// - Throws: ``NodeError`` when there is no such output, or its value is of another type.
    public func value<Value: NodeValue>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        let all = try list(name, as: type)
        guard all.count == 1 else { throw NodeError("output \"\(name)\" has \(all.count) values, expected one") }
        return all[0]
    }

    /// The values of an output that is a list.
    ///
    /// - Throws: ``NodeError`` when there is no such output, or a value is of another type.
    public func list<Value: NodeValue>(_ name: String, as type: Value.Type = Value.self) throws -> [Value] {
        guard let output = outputs.first(where: { $0.name == name }) else {
            let names = outputs.map(\.name).joined(separator: ", ")
            throw NodeError("there is no output \"\(name)\", only \(names.isEmpty ? "none" : names)")
        }
        return try output.values.map { value in
            guard let value = value as? Value else {
                throw NodeError("output \"\(name)\" is a \(Swift.type(of: value)), expected \(type)")
            }
            return value
        }
    }
}

private final class TrialEvents: NodeEvents {
    private let seen = Mutex(TrialResult(outputs: [], shown: nil, warnings: [], progress: [], expansions: []))
    private let isCancelled: @Sendable () -> Bool

    init(isCancelled: @escaping @Sendable () -> Bool) { self.isCancelled = isCancelled }

    func checkCancellation() throws {
        if isCancelled() { throw CancellationError() }
    }
    func progress(node: String, done: Double, total: Double) { seen.withLock { $0.progress.append((done, total)) } }
    func warning(node: String, _ message: String) { seen.withLock { $0.warnings.append(message) } }
    func ui(node: String, _ output: JSONObject) { seen.withLock { $0.shown = output } }
    func expand(node: String, call: Int, _ graph: Subgraph) throws { seen.withLock { $0.expansions.append(graph) } }

    func result(_ outputs: [(name: String, values: [any NodeValue])]) -> TrialResult {
        var result = seen.withLock { $0 }
        result.outputs = outputs
        return result
    }
}
