import JSON
import NodeKit

/// A validated prompt with links resolved to positions, as the scheduler reads it.
///
/// Only what can influence a result is in it: constants under names that the node does not declare are left out.
struct Graph: Sendable {
    enum Value: Sendable {
        /// After conversion to the declared type.
        case constant(JSON)
        /// A slot of the node at a position in ``Graph/nodes``.
        case link(node: Int, slot: Int)
    }

    struct Input: Sendable {
        var name: String
        var value: Value
        /// Files whose content belongs to the value: the input is a choice among them.
        var files: Choices?
    }

    struct Node: Sendable {
        var id: String
        /// The title in the workflow, else the type's display name.
        var title: String
        var definition: NodeDefinition
        /// In the order of the prompt.
        var inputs: [Input]

        var schema: NodeSchema { definition.schema }

        /// Positions of the nodes that feed this one, each once, in order of first use.
        var sources: [Int] {
            var found: [Int] = []
            for input in inputs {
                if case .link(let node, _) = input.value, !found.contains(node) { found.append(node) }
            }
            return found
        }
    }

    var nodes: [Node] = []
    /// All positions, every node after the nodes that feed it.
    var order: [Int] = []
}
