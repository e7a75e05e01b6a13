internal import JSON
internal import Synchronization
public import Tensors

/// `--trace`: what a run spends its time on. Nodes, their steps and the tensor operations in them are spans; nodes that
/// run at the same time are on rows of their own.
public final class RunTrace: Sendable {
    private struct OpenNode {
        var row: TraceFile.Row
        /// Where the current step began.
        var mark: Int
    }

    private struct State {
        /// The node on each row.
        var rows: [String?] = []
        var open: [String: OpenNode] = [:]
    }

    private let file: TraceFile
    private let names: [String: String]
    private let state = Mutex(State())

    /// Where operations go that belong to no node.
    private static let outside = TraceFile.Row(number: 0)

    /// Opens the file; an earlier trace in it is lost.
    ///
    /// - Parameter names: what people call the nodes, by id.
    /// - Throws: ``FileError`` when the file cannot be written, or holds anything but a trace.
    public init(path: String, names: [String: String] = [:]) throws(FileError) {
        self.names = names
        file = try TraceFile(path: path)
        file.name("graphrun", of: nil)
    }

    /// The backend with its operations traced.
    public func traced(_ backend: any Backend) -> any Backend { TracingBackend(backend, self, node: nil) }

    /// Takes part in a run as one of its observers.
    public func observe(_ event: EngineEvent) {
        let time = file.now()
        switch event.kind {
        case .executionStart: file.mark("run", "run", nil, at: time)
        case .executionCached(let nodes):
            if !nodes.isEmpty { file.mark("\(nodes.count) cached", "run", nil, at: time) }
        case .executing(let node):
            // What a node expanded into runs when its own turn is over.
            if let parent = node.parentID { end(parent, time) }
            begin(node, time)
        case .progress(let node, let done, let total):
            step(node.id, "step \(number(done)) of \(number(total))", time)
        case .resumed(let node, let done, _): step(node.id, "replay of \(done) steps", time)
        case .nodeFinished(let node, _): end(node.id, time)
        case .executed, .preview: break
        case .executionBlocked(let node, _, let message):
            file.mark("\(names[node.realID] ?? node.id) is not run: \(message)", "warning", nil, at: time)
        case .warning(let node, let message):
            file.mark(message, "warning", node.flatMap { node in state.withLock { $0.open[node]?.row } }, at: time)
        case .executionSuccess, .executionError, .executionInterrupted:
            for node in state.withLock({ $0.open.keys.sorted() }) { end(node, time) }
            file.mark(event.name, "run", nil, at: time)
        }
    }

    /// Ends the file. Further events are ignored.
    public func close() { file.close() }

    /// Whole numbers without a point.
    private func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? String(value) }

    // MARK: Nodes

    private func begin(_ identity: NodeIdentity, _ time: Int) {
        let node = identity.id
        // A node that comes twice was set aside in between, to wait for an input or for what it expanded into.
        end(node, time)
        let (row, isNew) = state.withLock { state in
            let free = state.rows.firstIndex { $0 == nil }
            if free == nil { state.rows.append(nil) }
            let index = free ?? state.rows.count - 1
            state.rows[index] = node
            let row = TraceFile.Row(number: index + 1)
            state.open[node] = OpenNode(row: row, mark: time)
            return (row, free == nil)
        }
        if isNew { file.name("nodes \(row.number)", of: row) }
        let id = JSON.string(node).text(.compact)
        let name = names[node] ?? names[identity.displayID] ?? node
        file.begin(name, "node", row, at: time, arguments: "{\"node\":\(id)}")
    }

    private func step(_ node: String, _ name: String, _ time: Int) {
        let step = state.withLock { state -> OpenNode? in
            guard let open = state.open[node] else { return nil }
            state.open[node]?.mark = time
            return open
        }
        guard let step, time > step.mark else { return }
        file.span(name, "step", step.row, from: step.mark, to: time)
    }

    private func end(_ node: String, _ time: Int) {
        let row = state.withLock { state -> TraceFile.Row? in
            guard let open = state.open.removeValue(forKey: node) else { return nil }
            state.rows[open.row.number - 1] = nil
            return open.row
        }
        if let row { file.end(row, at: time) }
    }

    // MARK: Operations

    func now() -> Int { file.now() }

    func operation(_ name: String, in node: String?, from start: Int, arguments: String) {
        let row = node.flatMap { node in state.withLock { $0.open[node]?.row } }
        file.span(
            name, "operation", row ?? Self.outside, from: start, to: file.now(), arguments: arguments, mayWait: true)
    }
}

/// A backend that wants to know for which node it computes.
protocol NodeScopedBackend: Backend {
    func scoped(to node: String) -> any Backend
}
