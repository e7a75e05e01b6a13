import JSON
import NodeKit

extension GraphRun {
    /// Takes up the pieces of graph that a node made; the node waits for what its outputs are linked to.
    ///
    /// - Throws: `NodeError` when a piece has a node twice, of an unknown type, or a link to no node.
    mutating func expand(
        _ node: Int, _ calls: [[[any NodeValue]]], _ ui: JSONObject?, _ pieces: [Subgraph], _ seconds: Double
    ) throws {
        var positions = makePositions()
        // Not shared while it grows.
        self.positions = nil
        let first = graph.nodes.count
        let pieceNodes = pieces.flatMap(\.nodes)
        for entry in pieceNodes {
            guard positions[entry.id] == nil else {
                throw NodeError("DuplicateNodeError: the expansion has a node \(entry.id), which exists already")
            }
            guard let definition = environment.registry[entry.classType] else {
                throw NodeError("the expansion has a node of type \(entry.classType), which does not exist")
            }
            positions[entry.id] = graph.nodes.count
            let origin = Graph.Origin(
                parent: node, real: graph.real(node),
                displayID: entry.displayID ?? graph.identity(node).displayID)
            graph.nodes.append(
                Graph.Node(
                    id: entry.id, title: definition.schema.displayName, definition: definition, inputs: [],
                    origin: origin))
        }
        for (offset, entry) in pieceNodes.enumerated() {
            let schema = graph.nodes[first + offset].schema
            graph.nodes[first + offset].inputs = try entry.inputs.compactMap { name, value in
                try input(name, value, of: entry.id, schema, positions)
            }
        }
        self.positions = positions
        grow()
        let fragment = Array(first..<graph.nodes.count)
        for added in fragment {
            resolveKey(added)
            live?.add(graph, added)
        }

        let held = holds[node]
        holds[node] = []
        list.putBack(node)
        var stack: [Int] = []
        for link in calls.joined().joined().compactMap({ ($0 as? LinkedOutput)?.link }) {
            guard let source = positions[link.node] else {
                throw NodeError("an output is linked to node \(link.node), which does not exist")
            }
            require(source, by: node, &stack)
        }
        var added: [Int] = []
        while let next = stack.popLast() { added += schedule(next) }
        for output in fragment where graph.nodes[output].schema.isOutput { added += schedule(output) }
        pending[node] = Pending(
            calls: calls, ui: ui, fragment: fragment, seconds: seconds, expanded: monotonicSeconds())
        for next in added { list.release(next) }
        release(held)
        list.release(node)
    }

    private func input(
        _ name: String, _ value: GraphInput, of id: String, _ schema: NodeSchema, _ positions: [String: Int]
    ) throws -> Graph.Input? {
        let declared = schema.input(named: name)
        var files: Choices?
        if case .choice(let choices)? = declared?.kind, choices.areFiles { files = choices }
        switch value {
        case .literal(let json):
            return declared == nil ? nil : Graph.Input(name: name, value: .constant(json), files: files)
        case .value(let value):
            return declared == nil ? nil : Graph.Input(name: name, value: .value(value))
        case .link(let link):
            guard declared != nil || schema.takesUndeclared else { return nil }
            guard let source = positions[link.node] else {
                throw NodeError(
                    "the expansion's node \(id) has a link to node \(link.node) at input \"\(name)\", which does not exist"
                )
            }
            return Graph.Input(
                name: name,
                value: declared?.isRawLink == true
                    ? .rawLink(link, node: source) : .link(node: source, slot: link.slot),
                files: files, isLazy: declared?.isLazy == true)
        }
    }

    /// The expansion has run: puts its values where the node's outputs were linked to them.
    mutating func collect(_ node: Int, _ waiting: Pending) throws {
        let positions = makePositions()
        let calls = try waiting.calls.map { slots in
            try slots.map { slot in
                try slot.flatMap { value -> [any NodeValue] in
                    guard let link = (value as? LinkedOutput)?.link else { return [value] }
                    guard let source = positions[link.node], let outputs = values[source],
                        outputs.indices.contains(link.slot)
                    else { throw NodeError("node \(link.node) of the expansion gave no output \(link.slot)") }
                    return outputs[link.slot]
                }
            }
        }
        let cost = waiting.seconds + monotonicSeconds() - waiting.expanded
        finish(
            node, NodeResult(outputs: mergeOutputs(calls), ui: waiting.ui), waiting.seconds, cost: cost, isShown: true)
        // Those that nothing was linked to have never run.
        for left in waiting.fragment where !list.isOpen(left) && uses[left] == 0 { forget(left) }
    }

    /// A node of an expansion that nothing needs any more leaves nothing behind.
    mutating func forget(_ node: Int) {
        guard graph.nodes[node].origin != nil, positions != nil else { return }
        let id = graph.nodes[node].id
        if positions?[id] == node { positions?[id] = nil }
        live?.remove(id)
        graph.nodes[node].inputs = []
    }

    private mutating func makePositions() -> [String: Int] {
        if let positions { return positions }
        let made = Dictionary(graph.nodes.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        positions = made
        return made
    }

    /// From now on the graph can be read by nodes.
    mutating func makeLive() {
        if live != nil { return }
        let nodes = LiveNodes()
        for node in graph.nodes.indices { nodes.add(graph, node) }
        live = nodes
    }

    /// Makes room for nodes that were appended.
    private mutating func grow() {
        let count = graph.nodes.count
        list.grow(to: count)
        while keys.count < count {
            keys.append(.open)
            uses.append(0)
            holds.append([])
        }
    }
}
