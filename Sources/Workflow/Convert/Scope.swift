import JSON

/// One place in the expanded workflow: the root graph, or the inside of one use of a sub-graph or group node.
final class Scope {
    enum Kind {
        case root
        case subgraph(SubgraphDefinition)
        case group(String)
    }

    /// The scope's number, as a key.
    let number: Int
    let kind: Kind
    let graph: Graph
    /// What stands before the ids of the nodes in here: "", "12:", "12:34:".
    let prefix: String
    /// The graph that the instance stands in. Weak, since it holds its children; the conversion holds all scopes.
    private(set) weak var parent: Scope?
    /// The instance's position in the parent's nodes.
    let instanceIndex: Int
    let depth: Int
    /// The insides of the live instances in this graph, by position.
    var children: [Int: Scope] = [:]
    /// For each input of a sub-graph: whether it is a promoted widget, and the instance's value for it.
    var promotions: [Promotion] = []
    /// For each output of a group node: the inner node and its slot.
    var groupOutputs: [(node: Int, slot: Int)] = []
    /// The SetNodes in here by name, the first of each.
    private(set) lazy var settersByName = firstIndexes { node in
        VirtualNode(node.type) == .setter ? node.positionalValues.first?.identifier : nil
    }
    /// The nodes in here by the name that `%Node.widget%` uses, and by title.
    private(set) lazy var nodesBySearchName = firstIndexes(\.searchName)
    private(set) lazy var nodesByTitle = firstIndexes(\.title)

    struct Promotion {
        var isWidget = false
        var value: JSON?
    }

    init(number: Int, kind: Kind, graph: Graph, parent: Scope? = nil, instanceIndex: Int = 0) {
        self.number = number
        self.kind = kind
        self.graph = graph
        self.parent = parent
        self.instanceIndex = instanceIndex
        depth = (parent?.depth ?? 0) + (parent == nil ? 0 : 1)
        if let parent, let instance = parent.instance(instanceIndex) {
            prefix = parent.prefix + instance.id + ":"
        } else {
            prefix = ""
        }
    }

    func instance(_ index: Int) -> GraphNode? { graph.nodes.indices.contains(index) ? graph.nodes[index] : nil }

    /// The id in the prompt of a node in here.
    func promptID(_ node: GraphNode) -> String { prefix + node.id }

    private func firstIndexes(_ name: (GraphNode) -> String?) -> [String: Int] {
        var result: [String: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            if let name = name(node), result[name] == nil { result[name] = index }
        }
        return result
    }

    /// Whether a definition is open in this scope or in one around it.
    func isInside(_ name: String) -> Bool {
        var scope: Scope? = self
        while let current = scope {
            switch current.kind {
            case .subgraph(let definition) where definition.id == name: return true
            case .group(let group) where group == name: return true
            default: scope = current.parent
            }
        }
        return false
    }
}
