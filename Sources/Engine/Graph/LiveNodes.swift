import NodeKit
import Synchronization

/// The running graph as nodes see it.
final class LiveNodes: LiveGraph {
    private let nodes = Mutex<[String: LiveNode]>([:])

    func node(_ id: String) -> LiveNode? { nodes.withLock { $0[id] } }

    func remove(_ id: String) { nodes.withLock { $0[id] = nil } }

    /// Takes up a node of the graph.
    func add(_ graph: Graph, _ position: Int) {
        let entry = graph.nodes[position]
        let inputs = entry.inputs.map { input -> (name: String, value: GraphInput) in
            switch input.value {
            case .constant(let json): (input.name, .literal(json))
            case .value(let value): (input.name, .value(value))
            case .rawLink(let link, _): (input.name, .link(link))
            case .link(let node, let slot): (input.name, .link(GraphLink(node: graph.nodes[node].id, slot: slot)))
            }
        }
        let identity = graph.identity(position)
        let node = LiveNode(
            id: entry.id, classType: entry.schema.id, inputs: inputs, parentID: identity.parentID,
            displayID: identity.displayID)
        nodes.withLock { $0[entry.id] = node }
    }
}
