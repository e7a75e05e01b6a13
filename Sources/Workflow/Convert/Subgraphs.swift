import JSON

/// Uses of sub-graphs (ui-format.md §8).
extension Converter {
    func openSubgraph(_ definition: SubgraphDefinition, at index: Int, in parent: Scope) -> Scope {
        let instance = parent.graph.nodes[index]
        let scope = Scope(
            number: scopes.count, kind: .subgraph(definition), graph: broadcast(definition.graph), parent: parent,
            instanceIndex: index)
        scope.promotions = promotions(of: definition, instance)
        return scope
    }

    /// Which inputs of a definition are promoted widgets, and the values that an instance has for them.
    private func promotions(of definition: SubgraphDefinition, _ instance: GraphNode) -> [Scope.Promotion] {
        let controls =
            promotedControls[definition.id] ?? definition.inputs.map { hasControl(promotedBy: $0, of: definition) }
        promotedControls[definition.id] = controls
        let count = controls.count { $0 != nil }
        let values = instance.positionalValues
        var position = 0
        var result: [Scope.Promotion] = []
        for (slot, hasControl) in zip(definition.inputs, controls) {
            guard let hasControl else {
                result.append(Scope.Promotion())
                continue
            }
            var value = position < values.count ? values[position] : nil
            position += 1
            // More values than widgets: seeds have their control value behind them, as on other nodes.
            if values.count > count, hasControl, position < values.count,
                case .string(let word) = values[position], ControlWord.isOne(word)
            {
                position += 1
            }
            value = instance.namedValues[slot.name] ?? instance.values[slot.name] ?? value
            result.append(Scope.Promotion(isWidget: true, value: value == .null ? nil : value))
        }
        return result
    }

    /// Whether the widget that an input of a definition promotes has a control value behind it; `nil` for an input that
    /// promotes none. It promotes one if one of its links ends at an input with a widget marker.
    private func hasControl(promotedBy slot: SubgraphDefinition.Slot, of definition: SubgraphDefinition) -> Bool? {
        for id in slot.links {
            guard let link = definition.graph.links[id], let node = definition.graph.node(link.target),
                let input = node.inputs.first(where: { $0.link == id }), let widget = input.widget
            else { continue }
            let isControlled = catalogue.shape(node.type)?.port(widget)?.control == .number
            return isControlled || NodeShape.isSeed(slot.name) || NodeShape.isSeed(widget)
        }
        return nil
    }
}
