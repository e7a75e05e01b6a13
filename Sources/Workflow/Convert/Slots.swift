import JSON

/// An input slot of a node as a front end has it after loading the file.
struct Slot {
    var name: String
    /// The type in the node's definition; for unknown nodes the one in the file.
    var type: String
    var link: String?
    /// Whether there is a widget behind it, which a primitive node can set.
    var isWidget: Bool
}

extension Converter {
    /// The slots of a node: those of its definition (sockets, then widgets), with the links of the slots of the same
    /// name in the file, then those that only the file has. Never by number: the numbers in old files no longer fit
    /// definitions that have gained inputs.
    func slots(of node: GraphNode) -> [Slot] {
        if let definition = file.subgraphs[node.type] {
            return merge(node, definition.inputs.map { Slot(name: $0.name, type: $0.type, link: nil, isWidget: false) })
        }
        guard let shape = catalogue.shape(node.type), VirtualNode(node.type) == nil else {
            return node.inputs.map {
                Slot(name: $0.name, type: $0.type, link: $0.link, isWidget: $0.widget != nil)
            }
        }
        return merge(
            node,
            shape.slotOrder.map {
                let port = shape.ports[$0]
                return Slot(name: port.name, type: port.type, link: nil, isWidget: port.isWidget)
            })
    }

    private func merge(_ node: GraphNode, _ defined: [Slot]) -> [Slot] {
        var slots = defined
        var indexByName = Dictionary(
            defined.indices.map { (defined[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        for input in node.inputs {
            if let index = indexByName[input.name] {
                slots[index].link = slots[index].link ?? input.link
            } else {
                indexByName[input.name] = slots.count
                slots.append(
                    Slot(name: input.name, type: input.type, link: input.link, isWidget: input.widget != nil))
            }
        }
        return slots
    }

    /// The type of an output: the definition's, else the file's.
    func outputType(of node: GraphNode, _ slot: Int) -> String {
        if let definition = file.subgraphs[node.type], definition.outputs.indices.contains(slot) {
            return definition.outputs[slot].type
        }
        if VirtualNode(node.type) == nil, let outputs = catalogue.shape(node.type)?.outputs,
            outputs.indices.contains(slot)
        {
            return outputs[slot]
        }
        return node.outputs.indices.contains(slot) ? node.outputs[slot].type : "*"
    }
}
