import JSON
import NodeKit
import Synchronization

/// Takes what one node says while it runs to the run's observer, and keeps what it shows until the node is done.
final class NodeEventRelay: NodeEvents {
    private let control: RunControl
    private let emit: @Sendable (EngineEvent.Kind) -> Void
    private let shown = Mutex<[JSONObject]>([])

    init(_ control: RunControl, _ emit: @escaping @Sendable (EngineEvent.Kind) -> Void) {
        self.control = control
        self.emit = emit
    }

    func checkCancellation() throws { try control.check() }
    func progress(node: String, step: Int, total: Int) { emit(.progress(node: node, step: step, total: total)) }
    func resumed(node: String, done: Int, total: Int) { emit(.resumed(node: node, done: done, total: total)) }
    func warning(node: String, _ message: String) { emit(.warning(node: node, message: message)) }
    func ui(node: String, _ output: JSONObject) { shown.withLock { $0.append(output) } }

    /// All that was shown.
    var ui: JSONObject? { mergeUI(shown.withLock { $0 }) }
}
