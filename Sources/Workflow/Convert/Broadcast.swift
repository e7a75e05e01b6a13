import JSON

/// The links that cg-use-everywhere's senders make (ui-format.md §10). Saved graphs do not hold them.
extension Converter {
    /// The graph with the broadcast links: those that the pack noted in `extra.ue_links`, else those that its rules give.
    func broadcast(_ graph: Graph) -> Graph {
        if case .array(let entries)? = graph.extra["ue_links"] { return connect(graph, entries) }
        return matchBroadcasts(in: graph)
    }

    private func connect(_ graph: Graph, _ entries: [JSON]) -> Graph {
        var result = graph
        for (number, entry) in entries.enumerated() {
            guard let upstream = entry["upstream"]?.identifier, let downstream = entry["downstream"]?.identifier,
                let originSlot = entry["upstream_slot"]?.intValue, let slot = entry["downstream_slot"]?.intValue,
                let origin = graph.node(upstream), origin.mode == .active,
                let index = graph.indexByID[downstream], result.nodes[index].mode == .active,
                let input = inputIndex(slot, of: index, in: &result, type: entry["type"]?.slotType)
            else { continue }
            // What is linked by hand is not a receiver.
            if let link = result.nodes[index].inputs[input].link, graph.links[link] != nil { continue }
            result.connect(
                node: index, input: input,
                to: GraphLink(
                    id: "broadcast \(number)", origin: upstream, originSlot: originSlot, target: downstream,
                    targetSlot: slot, type: entry["type"]?.slotType ?? "*"))
        }
        return result
    }

    /// The position in the file's slots of slot number `slot` of the loaded node. Slots of unconnected widgets, which the
    /// file may leave out, are added.
    private func inputIndex(_ slot: Int, of index: Int, in graph: inout Graph, type: String?) -> Int? {
        let node = graph.nodes[index]
        if node.inputs.indices.contains(slot), type == nil || node.inputs[slot].type == type { return slot }
        let loaded = slots(of: node)
        guard loaded.indices.contains(slot) else { return node.inputs.indices.contains(slot) ? slot : nil }
        let wanted = loaded[slot]
        if let known = node.inputs.firstIndex(where: { $0.name == wanted.name }) { return known }
        graph.update(index) {
            $0.inputs.append(
                GraphInput(
                    name: wanted.name, type: wanted.type, link: nil, widget: wanted.isWidget ? wanted.name : nil))
        }
        return node.inputs.count
    }
}
