import JSON

/// Uses of group nodes (ui-format.md §9).
extension Converter {
    func openGroup(_ definition: GroupNode, _ name: String, at index: Int, in parent: Scope) -> Scope {
        var group = definition
        let instance = parent.graph.nodes[index]
        assignValues(instance.positionalValues, to: &group)
        var graph = Graph()
        for node in group.nodes { graph.add(node) }
        for (number, wire) in group.wires.enumerated() {
            graph.connect(
                node: wire.target, input: wire.targetSlot,
                to: GraphLink(
                    id: "inside \(number)", origin: String(wire.origin), originSlot: wire.originSlot,
                    target: String(wire.target), targetSlot: wire.targetSlot, type: wire.type))
        }
        for (port, slot) in Self.feeds(of: group, instance) {
            graph.connect(
                node: port.node, input: port.input,
                to: GraphLink(
                    id: "outside \(port.node) \(port.input)", origin: SubgraphDefinition.inputNode, originSlot: slot,
                    target: String(port.node), targetSlot: port.input, type: "*"))
        }
        let scope = Scope(
            number: scopes.count, kind: .group(name), graph: graph, parent: parent, instanceIndex: index)
        scope.groupOutputs = group.openOutputs
        return scope
    }

    /// Which slot of the group node feeds which inner input: sockets by number; converted widgets, which may be left
    /// out of the file, by name, else by number.
    private static func feeds(of group: GroupNode, _ instance: GraphNode) -> [(port: GroupNode.Port, slot: Int)] {
        let open = group.openInputs
        let sockets = instance.inputs.indices.filter { instance.inputs[$0].widget == nil }
        var widgets = instance.inputs.indices.filter { instance.inputs[$0].widget != nil }
        var result = zip(open.sockets, sockets).map { (port: $0, slot: $1) }
        var unnamed: [GroupNode.Port] = []
        for port in open.widgets {
            let name = group.slotName(port)
            if let found = widgets.firstIndex(where: { instance.inputs[$0].name == name }) {
                result.append((port, widgets.remove(at: found)))
            } else {
                unnamed.append(port)
            }
        }
        // Of inputs with one name, front ends put the node's title before all but the first.
        for port in unnamed {
            let name = group.slotName(port)
            if let found = widgets.firstIndex(where: { instance.inputs[$0].name.hasSuffix(" " + name) }) {
                result.append((port, widgets.remove(at: found)))
            }
        }
        return result
    }

    /// Hands the group's saved values to the inner nodes: first the widgets that were not converted and the primitives,
    /// then the converted ones, each time in the order of the nodes.
    private func assignValues(_ values: [JSON], to group: inout GroupNode) {
        guard !values.isEmpty else { return }
        var rest = values[...]
        let linkedOrigins = Set(group.wires.map(\.origin))
        let linkedInputs = Set(group.wires.map { GroupNode.Port(node: $0.target, input: $0.targetSlot) })
        for index in group.nodes.indices {
            let node = group.nodes[index]
            if VirtualNode(node.type) == .primitive {
                guard linkedOrigins.contains(index), let value = rest.popFirst() else { continue }
                if Self.skipControl(&rest), node.positionalValues.count > 2, rest.first?.stringValue != nil {
                    rest.removeFirst()
                }
                group.nodes[index].values = .array([value])
            } else if VirtualNode(node.type) == nil {
                let marked = Set(node.inputs.compactMap(\.widget))
                assignPlainWidgets(from: &rest, to: &group.nodes[index], except: marked)
            }
        }
        for index in group.nodes.indices where VirtualNode(group.nodes[index].type) == nil {
            let node = group.nodes[index]
            let shape = catalogue.shape(node.type)
            for (position, input) in node.inputs.enumerated() {
                guard let name = input.widget, !linkedInputs.contains(GroupNode.Port(node: index, input: position)),
                    let value = rest.popFirst()
                else { continue }
                let hasControl = shape?.port(name).map { $0.control != .none } ?? (input.type == "INT")
                if hasControl { Self.skipControl(&rest) }
                group.nodes[index].namedValues[name] = value
            }
        }
    }

    /// The widgets without marker, as many as the inner node's own values say it had when the group was made.
    private func assignPlainWidgets(
        from rest: inout ArraySlice<JSON>, to node: inout GraphNode, except marked: Set<String>
    ) {
        guard let shape = catalogue.shape(node.type) else {
            // Unknown type: its values keep their places.
            if marked.isEmpty, !node.positionalValues.isEmpty, rest.count >= node.positionalValues.count {
                let count = node.positionalValues.count
                node.values = .array(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            return
        }
        let own = Self.positions(of: node.positionalValues, in: shape)
        for port in shape.ports where port.isWidget && own[port.name] != nil && !marked.contains(port.name) {
            guard let value = rest.popFirst() else { return }
            if port.control != .none { Self.skipControl(&rest) }
            node.namedValues[port.name] = value
        }
    }

    @discardableResult private static func skipControl(_ rest: inout ArraySlice<JSON>) -> Bool {
        guard case .string(let word)? = rest.first, ControlWord.isOne(word) else { return false }
        rest.removeFirst()
        return true
    }
}
