import JSON
import NodeKit
import Synchronization

/// Takes what one node says while it runs to the run's observer, and keeps what it shows until the node is done.
final class NodeEventRelay: NodeEvents {
    private struct State {
        var shown: [JSONObject] = []
        var expansions: [(call: Int, graph: Subgraph)] = []
    }
    private let scope: RunScope
    private let node: NodeIdentity
    private let emit: @Sendable (EngineEvent.Kind) -> Void
    private let state = Mutex(State())

    init(_ scope: RunScope, _ node: NodeIdentity, _ emit: @escaping @Sendable (EngineEvent.Kind) -> Void) {
        self.scope = scope
        self.node = node
        self.emit = emit
    }

    func checkCancellation() throws { try scope.check() }
    func progress(node id: String, done: Double, total: Double) { emit(.progress(node, done: done, total: total)) }
    func resumed(node id: String, done: Int, total: Int) { emit(.resumed(node, done: done, total: total)) }
    func preview(node id: String, _ preview: StepPreview) { emit(.preview(node, preview)) }
    func warning(node: String, _ message: String) { emit(.warning(node: self.node.realID, message: message)) }
    func ui(node: String, _ output: JSONObject) { state.withLock { $0.shown.append(output) } }
    func expand(node: String, call: Int, _ graph: Subgraph) {
        state.withLock { $0.expansions.append((call, graph)) }
    }

    /// A call was not made because a value was blocked with a message.
    func blocked(_ classType: String, _ message: String) {
        emit(.executionBlocked(node, classType: classType, message: message))
    }

    /// All that was shown.
    var ui: JSONObject? { mergeUI(state.withLock { $0.shown }) }
    /// The pieces of graph that the calls made.
    var expansions: [Subgraph] { state.withLock { $0.expansions.map(\.graph) } }
}
