import NodeKit

/// The nodes from the beginning of a loop to its end: what the end needs and what needs the beginning.
struct LoopBody {
    private let open: String
    private let close: String
    /// With ``open`` and ``close``, in the order in which they were found.
    private let nodes: [LiveNode]

    /// - Throws: `NodeError` when the graph lacks one of the two.
    init(from open: String, to close: String, in graph: any LiveGraph) throws {
        self.open = open
        self.close = close
        var found: [String: LiveNode] = [:]
        var order: [String] = []
        var consumers: [String: [String]] = [:]
        var stack = [close]
        while let id = stack.popLast() {
            guard found[id] == nil else { continue }
            guard let node = graph.node(id) else { throw NodeError("the loop has lost its node \(id)") }
            found[id] = node
            order.append(id)
            // What comes before the beginning is the same in all turns.
            if id == open { continue }
            for case (_, .link(let link)) in node.inputs {
                consumers[link.node, default: []].append(id)
                stack.append(link.node)
            }
        }
        guard found[open] != nil else {
            throw NodeError("the loop's end does not depend on its beginning, node \(open)")
        }
        var inside: Set<String> = [open, close]
        stack = [open]
        while let id = stack.popLast() {
            for consumer in consumers[id] ?? [] where inside.insert(consumer).inserted { stack.append(consumer) }
        }
        nodes = order.filter { inside.contains($0) }.compactMap { found[$0] }
    }

    /// Puts a copy into a piece of graph. Links inside the body go to copies, others stay as they are.
    ///
    /// - Parameter values: what the copy of the beginning starts with.
    /// - Returns: the copy of the end.
    func add(to graph: inout Subgraph, values: [(any NodeValue)?]) -> Subgraph.Handle {
        // Numbers, not ids: the ids of copies of copies would grow from turn to turn.
        var copies: [String: Subgraph.Handle] = [:]
        for (index, node) in nodes.enumerated() {
            copies[node.id] = graph.handle(named: node.id == close ? "Recurse" : "\(index)")
        }
        for (index, node) in nodes.enumerated() {
            let copy = graph.add(
                node.classType, named: node.id == close ? "Recurse" : "\(index)", displayID: node.displayID)
            for (name, value) in node.inputs {
                if case .link(let link) = value, let source = copies[link.node] {
                    graph.set(copy, name, to: .link(source[link.slot]))
                } else {
                    graph.set(copy, name, to: value)
                }
            }
            guard node.id == open else { continue }
            for (index, value) in values.enumerated() {
                if let value { graph.set(copy, "initial_value\(index)", to: .value(value)) }
            }
        }
        return graph.handle(named: "Recurse")
    }
}
