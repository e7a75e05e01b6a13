import JSON

/// A group node's definition (ui-format.md §9): nodes without ids, and links by number.
struct GroupNode {
    struct Wire {
        var origin: Int
        var originSlot: Int
        var target: Int
        var targetSlot: Int
        var type: String
    }

    /// An input of an inner node.
    struct Port: Hashable {
        var node: Int
        var input: Int
    }

    var nodes: [GraphNode]
    /// The links inside; those from outside, which have no origin, are left out.
    var wires: [Wire]
    /// Outputs that lead out although they are linked inside.
    private var external: Set<Port>
    private var config: JSONObject

    /// The name in a node type "workflow>NAME" (before front end 1.2.63 "workflow/NAME"); `nil` for other types.
    static func name(of type: String) -> String? {
        for prefix in ["workflow>", "workflow/"] where type.hasPrefix(prefix) {
            return String(type.dropFirst(prefix.count))
        }
        return nil
    }

    init(_ json: JSON, at path: String) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "a group-node definition (an object)")
        }
        nodes = []
        for (index, item) in try members.list("nodes", at: path).enumerated() {
            var node = try GraphNode(item, at: "\(path).nodes[\(index)]", defaultID: String(index))
            // Slots count sockets first, then converted widgets; links come from the definition alone.
            node.inputs = node.inputs.filter { $0.widget == nil } + node.inputs.filter { $0.widget != nil }
            for index in node.inputs.indices { node.inputs[index].link = nil }
            nodes.append(node)
        }
        wires = []
        for item in try members.list("links", at: path) {
            guard let origin = item[0]?.intValue, let originSlot = item[1]?.intValue, let target = item[2]?.intValue,
                let targetSlot = item[3]?.intValue, nodes.indices.contains(origin), nodes.indices.contains(target),
                nodes[target].inputs.indices.contains(targetSlot)
            else { continue }
            wires.append(
                Wire(
                    origin: origin, originSlot: originSlot, target: target, targetSlot: targetSlot,
                    type: item[5]?.slotType ?? "*"))
        }
        external = []
        for item in try members.list("external", at: path) {
            if let node = item[0]?.intValue ?? item[0]?["index"]?.intValue, let slot = item[1]?.intValue {
                external.insert(Port(node: node, input: slot))
            }
        }
        config = members["config"]?.objectValue ?? JSONObject()
    }

    /// Whether the group's author hid an input or output (`nil`: did not say).
    private func isVisible(_ group: String, _ node: Int, _ slot: String) -> Bool? {
        config[String(node)]?[group]?[slot]?["visible"]?.boolValue
    }

    /// The inputs that are fed from outside, in the order of the group's slots: sockets, then converted widgets.
    var openInputs: (sockets: [Port], widgets: [Port]) {
        let linked = Set(wires.map { Port(node: $0.target, input: $0.targetSlot) })
        var sockets: [Port] = []
        var widgets: [Port] = []
        for (node, inner) in nodes.enumerated() where VirtualNode(inner.type) != .primitive {
            for (index, input) in inner.inputs.enumerated() {
                let port = Port(node: node, input: index)
                if linked.contains(port) || isVisible("input", node, input.name) == false { continue }
                if input.widget == nil { sockets.append(port) } else { widgets.append(port) }
            }
        }
        return (sockets, widgets)
    }

    /// The outputs that lead out, in order.
    var openOutputs: [(node: Int, slot: Int)] {
        let linked = Set(wires.map { Port(node: $0.origin, input: $0.originSlot) })
        var result: [(node: Int, slot: Int)] = []
        for (node, inner) in nodes.enumerated() {
            for slot in inner.outputs.indices {
                let port = Port(node: node, input: slot)
                let isOpen = !linked.contains(port) || external.contains(port)
                if isVisible("output", node, String(slot)) ?? isOpen { result.append((node, slot)) }
            }
        }
        return result
    }

    /// The name that the group's own slot for an inner input has, unless another inner input took it first.
    func slotName(_ port: Port) -> String {
        let name = nodes[port.node].inputs[port.input].name
        return config[String(port.node)]?["input"]?[name]?["name"]?.stringValue ?? name
    }
}
