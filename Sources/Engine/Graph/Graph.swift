import JSON
import NodeKit

/// A validated prompt with links resolved to positions, as the scheduler reads it. Expansions append to it.
///
/// Only what a node is given is among its inputs: constants under names that it does not declare only decide, with the
/// others, whether an earlier result is its own (engine-semantics.md §13).
struct Graph: Sendable {
    enum Value: Sendable {
        /// After conversion to the declared type.
        case constant(JSON)
        /// A slot of the node at a position in ``Graph/nodes``.
        case link(node: Int, slot: Int)
        /// From an expansion: a value that exists in memory only.
        case value(any NodeValue)
        /// The link itself is the value; the source runs all the same.
        case rawLink(GraphLink, node: Int)

        /// The position of the node that must run first.
        var source: Int? {
            switch self {
            case .constant, .value: nil
            case .link(let node, _), .rawLink(_, let node): node
            }
        }
    }

    struct Input: Sendable {
        var name: String
        var value: Value
        /// Files whose content belongs to the value: the input is a choice among them.
        var files: Choices?
        /// Whether the source is run only when the node asks for it.
        var isLazy = false
    }

    struct Node: Sendable {
        var id: String
        /// The title in the workflow, else the type's display name.
        var title: String
        var definition: NodeDefinition
        /// In the order of the prompt.
        var inputs: [Input]
        /// Constants that the node does not take.
        var undeclared: [(name: String, value: JSON)] = []
        /// For nodes of expansions.
        var origin: Origin?

        var schema: NodeSchema { definition.schema }

        /// Positions of the nodes that feed this one, each once, in order of first use.
        var sources: [Int] { positions { _ in true } }
        /// Those of them that it always needs.
        var eagerSources: [Int] { positions { !$0.isLazy } }

        private func positions(_ isMeant: (Input) -> Bool) -> [Int] {
            var found: [Int] = []
            var seen: Set<Int> = []
            for input in inputs where isMeant(input) {
                if let node = input.value.source, seen.insert(node).inserted { found.append(node) }
            }
            return found
        }
    }

    /// Where a node of an expansion comes from.
    struct Origin: Sendable {
        /// The node that expanded.
        var parent: Int
        /// The node of the workflow that it goes back to.
        var real: Int
        /// The node that people see at work.
        var displayID: String
    }

    var nodes: [Node] = []
    /// All positions, every node after the nodes that feed it.
    var order: [Int] = []

    /// How the node is named in events.
    func identity(_ node: Int) -> NodeIdentity {
        let entry = nodes[node]
        guard let origin = entry.origin else { return NodeIdentity(entry.id) }
        return NodeIdentity(
            id: entry.id, displayID: origin.displayID, parentID: nodes[origin.parent].id,
            realID: nodes[origin.real].id)
    }

    /// The node of the workflow that is to blame for what `node` does.
    func real(_ node: Int) -> Int { nodes[node].origin?.real ?? node }
}
