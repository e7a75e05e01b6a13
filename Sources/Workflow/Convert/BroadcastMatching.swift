import JSON

/// The pack's own matching, for files that were saved before it noted its links.
extension Converter {
    /// More senders than this are not matched.
    static let maximumSenders = 1000

    func matchBroadcasts(in graph: Graph) -> Graph {
        var senders: [String: [BroadcastSender]] = [:]
        var count = 0
        for (index, node) in graph.nodes.enumerated()
        where node.mode == .active && BroadcastSender.types.contains(node.type) && count < Self.maximumSenders {
            let found = BroadcastSender.senders(of: index, in: graph) { pattern in
                notes.append(
                    ConversionNote(
                        kind: .broadcast, node: node.id, classType: node.type,
                        message: "sends nothing: cannot use the pattern \"\(pattern.shortened)\""))
            }
            for sender in found where !SlotType.isWildcard(sender.type) { senders[sender.type, default: []].append(sender) }
            count += found.count
        }
        if senders.isEmpty { return graph }
        var result = graph
        var number = 0
        for (index, node) in graph.nodes.enumerated()
        where node.mode == .active && !BroadcastSender.types.contains(node.type) && VirtualNode(node.type) == nil {
            let types = Dictionary(slots(of: node).map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
            for (slot, input) in node.inputs.enumerated() where input.link.flatMap({ graph.links[$0] }) == nil {
                let fitting = (senders[types[input.name] ?? input.type] ?? []).filter {
                    accepts(node, input, from: $0, in: graph)
                }
                guard let sender = Self.winner(fitting) else { continue }
                result.connect(
                    node: index, input: slot,
                    to: GraphLink(
                        id: "broadcast \(number)", origin: sender.origin, originSlot: sender.originSlot,
                        target: node.id, targetSlot: slot, type: sender.type))
                number += 1
                notes.append(
                    ConversionNote(
                        kind: .broadcast, node: node.id, classType: node.type,
                        message: "\"\(input.name)\" is fed by node \(sender.origin) through "
                            + "\"\(graph.nodes[sender.node].type)\" (node \(graph.nodes[sender.node].id))"))
            }
        }
        return result
    }

    /// The sender of highest priority, unless two share it.
    private static func winner(_ senders: [BroadcastSender]) -> BroadcastSender? {
        guard let best = senders.max(by: { $0.priority < $1.priority }),
            senders.count(where: { $0.priority == best.priority }) == 1
        else { return nil }
        return best
    }

    private func accepts(_ node: GraphNode, _ input: GraphInput, from sender: BroadcastSender, in graph: Graph) -> Bool {
        guard sender.origin != node.id else { return false }
        let source = graph.nodes[sender.node]
        let boxes = graph.boxes(around: node)
        let isTogether = !Set(boxes.map(\.offset)).isDisjoint(with: graph.boxes(around: source).map(\.offset))
        let title = node.title ?? catalogue.shape(node.type)?.displayName ?? node.type
        return sender.boxRestriction.allows(isTogether)
            && sender.colorRestriction.allows(source.drawing["color"] == node.drawing["color"])
            && sender.titles?.accepts([title]) ?? true
            && sender.inputs?.accepts([input.name]) ?? true
            && sender.boxes?.accepts(boxes.map(\.element.title)) ?? true
    }
}

extension Graph {
    /// The boxes that hold the middle of a node.
    fileprivate func boxes(around node: GraphNode) -> [(offset: Int, element: GraphBox)] {
        guard let x = node.drawing["pos"]?.coordinate(0), let y = node.drawing["pos"]?.coordinate(1) else { return [] }
        let width = node.drawing["size"]?.coordinate(0) ?? 0
        let height = node.drawing["size"]?.coordinate(1) ?? 0
        let (middleX, middleY) = (x + width / 2, y + height / 2)
        return boxes.enumerated().filter { _, box in
            middleX >= box.bounds[0] && middleX <= box.bounds[0] + box.bounds[2]
                && middleY >= box.bounds[1] && middleY <= box.bounds[1] + box.bounds[3]
        }
    }
}

extension JSON {
    /// A part of a position: an array, or in old files an object with the keys "0" and "1".
    fileprivate func coordinate(_ index: Int) -> Double? { (self[index] ?? self[String(index)])?.doubleValue }
}
