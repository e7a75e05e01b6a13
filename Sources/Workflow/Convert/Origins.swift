import JSON

/// What feeds an input.
enum Origin {
    case nothing
    /// The value of a primitive node or of a promoted widget.
    case constant(JSON)
    case output(PromptLink)
}

/// An output in the expanded graph, and the type that is wanted from it.
struct Place: Hashable {
    var scope: Int
    var node: Int
    var slot: Int
    var wanted: String
}

/// Follows links to the node that really feeds an input (ui-format.md §5–§8).
extension Converter {
    private enum Step {
        case end(Origin)
        case place(Place)
    }

    func origin(of slot: Slot, in scope: Scope) -> Origin {
        guard let id = slot.link, let link = scope.graph.links[id] else { return .nothing }
        return follow(link, in: scope, wanted: slot.type, feedsWidget: slot.isWidget)
    }

    private func follow(_ link: GraphLink, in scope: Scope, wanted: String, feedsWidget: Bool) -> Origin {
        var step = start(of: link, in: scope, wanted: wanted, feedsWidget: feedsWidget)
        var path: [Place] = []
        var visited: Set<Place> = []
        while true {
            switch step {
            case .end(let origin):
                for place in path { origins[place] = origin }
                return origin
            case .place(let place):
                if let known = origins[place] {
                    step = .end(known)
                } else if visited.insert(place).inserted {
                    path.append(place)
                    step = next(after: place)
                } else {
                    step = .end(.nothing)
                }
            }
        }
    }

    /// Where a link begins. Links from the inside of a sub-graph's inputs lead out to the instance.
    ///
    /// - Parameter feedsWidget: whether the link ends, without anything between, at an input that has a widget.
    private func start(of link: GraphLink, in scope: Scope, wanted: String, feedsWidget: Bool) -> Step {
        var link = link
        var scope = scope
        var feedsWidget = feedsWidget
        // The outermost instance that has a value for a promoted widget gives it.
        var promoted: JSON?
        while link.origin == SubgraphDefinition.inputNode, let parent = scope.parent,
            let instance = parent.instance(scope.instanceIndex)
        {
            var outer: String?
            switch scope.kind {
            case .root: break
            case .group:
                if instance.inputs.indices.contains(link.originSlot) { outer = instance.inputs[link.originSlot].link }
            case .subgraph(let definition):
                guard definition.inputs.indices.contains(link.originSlot) else { return .end(.nothing) }
                let name = definition.inputs[link.originSlot].name
                outer = instance.inputs.first { $0.name == name }?.link
                let promotion = scope.promotions[link.originSlot]
                promoted = promotion.value ?? promoted
                feedsWidget = promotion.isWidget
            }
            guard let outer, let outside = parent.graph.links[outer] else {
                return .end(promoted.map { .constant($0) } ?? .nothing)
            }
            link = outside
            scope = parent
        }
        guard let index = scope.graph.indexByID[link.origin] else { return .end(.nothing) }
        let node = scope.graph.nodes[index]
        if VirtualNode(node.type) == .primitive {
            // The value is copied into the widget, whatever the primitive's mode; not through other nodes.
            guard feedsWidget, let value = primitiveValue(node, scope) else { return .end(.nothing) }
            return .end(.constant(value))
        }
        return .place(Place(scope: scope.number, node: index, slot: link.originSlot, wanted: wanted))
    }

    private func primitiveValue(_ node: GraphNode, _ scope: Scope) -> JSON? {
        guard let value = node.positionalValues.first ?? node.namedValues["value"], !value.isNull else { return nil }
        guard node.properties["Run widget replace on values"] == .bool(true), case .string(let text) = value else {
            return value
        }
        return .string(replacingPlaceholders(in: text, scope))
    }

    private func next(after place: Place) -> Step {
        let scope = scopes[place.scope]
        let node = scope.graph.nodes[place.node]
        let kind = VirtualNode(node.type)
        // What a setter names counts, not the setter.
        if kind != .setter {
            switch node.mode {
            case .active: break
            case .muted: return .end(.output(PromptLink(node: scope.promptID(node), slot: place.slot)))
            case .bypassed: return bypass(node, place, scope)
            }
        }
        if let child = scope.children[place.node] { return enter(child, place) }
        switch kind {
        case nil: return .end(.output(PromptLink(node: scope.promptID(node), slot: place.slot)))
        case .wire?, .setter?: return pass(node, input: place.slot, scope, wanted: place.wanted)
        case .getter?: return setter(of: node, scope, wanted: place.wanted)
        case .primitive?, .inert?: return .end(.nothing)
        }
    }

    /// Continues at an input of a node.
    private func pass(_ node: GraphNode, input: Int, _ scope: Scope, wanted: String) -> Step {
        guard node.inputs.indices.contains(input) else { return .end(.nothing) }
        return pass(node.inputs[input].link, scope, wanted: wanted)
    }

    private func pass(_ id: String?, _ scope: Scope, wanted: String) -> Step {
        guard let id, let link = scope.graph.links[id] else { return .end(.nothing) }
        return start(of: link, in: scope, wanted: wanted, feedsWidget: false)
    }

    /// Goes through a bypassed node to the input that replaces its output (front end 1.27.10's choice).
    private func bypass(_ node: GraphNode, _ place: Place, _ scope: Scope) -> Step {
        let slots = slots(of: node)
        let chosen: Int?
        if SlotType.isWildcard(place.wanted) {
            chosen = slots.indices.contains(place.slot) ? place.slot : slots.indices.first
        } else {
            let given = outputType(of: node, place.slot)
            let fits = { (index: Int) in
                SlotType.areCompatible(slots[index].type, given)
                    && SlotType.areCompatible(slots[index].type, place.wanted)
            }
            if slots.indices.contains(place.slot), fits(place.slot) {
                chosen = place.slot
            } else {
                chosen = slots.firstIndex { $0.type == place.wanted } ?? slots.indices.first(where: fits)
            }
        }
        guard let chosen else { return .end(.nothing) }
        return pass(slots[chosen].link, scope, wanted: slots[chosen].type)
    }

    /// Goes into a sub-graph or group node through one of its outputs.
    private func enter(_ child: Scope, _ place: Place) -> Step {
        switch child.kind {
        case .root: return .end(.nothing)
        case .group:
            guard child.groupOutputs.indices.contains(place.slot) else { return .end(.nothing) }
            let inner = child.groupOutputs[place.slot]
            return .place(Place(scope: child.number, node: inner.node, slot: inner.slot, wanted: place.wanted))
        case .subgraph(let definition):
            guard definition.outputLinks.indices.contains(place.slot), let link = definition.outputLinks[place.slot]
            else { return .end(.nothing) }
            return start(of: link, in: child, wanted: place.wanted, feedsWidget: false)
        }
    }

    /// Goes from a getter to the setter of the same name, in its own graph or in one around it.
    private func setter(of node: GraphNode, _ scope: Scope, wanted: String) -> Step {
        guard let name = node.positionalValues.first?.identifier else { return .end(.nothing) }
        var current: Scope? = scope
        while let scope = current {
            if let index = scope.settersByName[name] {
                return pass(scope.graph.nodes[index], input: 0, scope, wanted: wanted)
            }
            current = scope.parent
        }
        return .end(.nothing)
    }
}
