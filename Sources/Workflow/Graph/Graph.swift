import JSON

/// A graph as front ends save it (ui-format.md §1–§2): the root of a file, the inside of a sub-graph, or of a group
/// node.
struct Graph {
    private(set) var nodes: [GraphNode] = []
    private(set) var indexByID: [String: Int] = [:]
    var links: [String: GraphLink] = [:]
    /// The boxes drawn around nodes; only broadcasts look at them.
    var boxes: [GraphBox] = []
    /// The graph's `extra`.
    var extra = JSONObject()

    func node(_ id: String) -> GraphNode? { indexByID[id].map { nodes[$0] } }

    /// Adds a node; one whose id is taken already replaces the earlier one.
    mutating func add(_ node: GraphNode) {
        if let index = indexByID[node.id] {
            nodes[index] = node
        } else {
            indexByID[node.id] = nodes.count
            nodes.append(node)
        }
    }

    /// Connects an input that has no link.
    mutating func connect(node index: Int, input: Int, to link: GraphLink) {
        guard nodes.indices.contains(index), nodes[index].inputs.indices.contains(input) else { return }
        nodes[index].inputs[input].link = link.id
        links[link.id] = link
    }

    mutating func update(_ index: Int, _ change: (inout GraphNode) -> Void) {
        if nodes.indices.contains(index) { change(&nodes[index]) }
    }
}

/// A node as saved.
struct GraphNode {
    /// More inputs are refused: the largest real nodes have about a hundred.
    static let maximumInputs = 1000

    /// How much of a node takes part.
    enum Mode {
        case active
        /// Not emitted; what it feeds stays without a value.
        case muted
        /// Not emitted; what it feeds is fed by one of its own inputs.
        case bypassed
    }

    var id: String
    var type: String
    var title: String?
    var mode: Mode
    var inputs: [GraphInput]
    var outputs: [GraphOutput]
    /// `widgets_values`: an array by position, an object by name, or nothing.
    var values: JSON
    /// `widgets_values_named`, and what group nodes and sub-graphs assign.
    var namedValues: JSONObject
    var properties: JSONObject
    /// The members that only broadcasts need: pos, size, color, bgcolor.
    var drawing: JSONObject

    /// The saved values by position.
    var positionalValues: [JSON] { values.arrayValue ?? [] }

    /// The name other nodes call it by in `%Node.widget%`.
    var searchName: String? { properties["Node name for S&R"]?.stringValue }
}

/// An input slot as saved.
struct GraphInput {
    var name: String
    var type: String
    var link: String?
    /// The name of the widget that the slot stands for, if it does.
    var widget: String?
}

/// An output slot as saved.
struct GraphOutput {
    var name: String
    var type: String
}

struct GraphLink {
    var id: String
    var origin: String
    var originSlot: Int
    var target: String
    var targetSlot: Int
    var type: String
}

/// A box around nodes.
struct GraphBox {
    var title: String
    /// x, y, width, height.
    var bounds: [Double]
}

/// A sub-graph definition (`definitions.subgraphs`, ui-format.md §8).
struct SubgraphDefinition {
    struct Slot {
        var name: String
        var type: String
        var links: [String]
    }
    /// The ids that stand for the inside of the definition's own inputs and outputs.
    static let inputNode = "-10"
    static let outputNode = "-20"

    var id: String
    var name: String
    var graph: Graph
    var inputs: [Slot]
    var outputs: [Slot]
    /// For each output the inner link that feeds it.
    var outputLinks: [GraphLink?]
}

/// A file in front-end format.
struct GraphFile {
    var root: Graph
    var subgraphs: [String: SubgraphDefinition]
    /// `extra.groupNodes` as saved; read where a group node is used.
    var groupNodes: JSONObject
}

/// The type names of slots (litegraph's rules).
enum SlotType {
    static func isWildcard(_ type: String) -> Bool { type == "*" || type.isEmpty || type == "0" }

    /// Whether a link may run between the two: equal but for case, either a wildcard, or lists that share a member.
    static func areCompatible(_ a: String, _ b: String) -> Bool {
        if isWildcard(a) || isWildcard(b) { return true }
        let a = a.lowercased()
        let b = b.lowercased()
        if a == b { return true }
        guard a.contains(",") || b.contains(",") else { return false }
        let members = Set(b.split(separator: ","))
        return a.split(separator: ",").contains { members.contains($0) }
    }
}
