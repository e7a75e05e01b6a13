import JSON

/// The pack's own matching, for files that were saved before it noted its links.
extension Converter {
    func matchBroadcasts(in graph: Graph) -> Graph {
        var matching = BroadcastMatching(graph)
        for (index, node) in graph.nodes.enumerated()
        where node.mode == .active && BroadcastSender.types.contains(node.type) {
            matching.add(
                BroadcastSender.senders(of: index, in: graph) { pattern in
                    broadcastNote(node, "sends nothing: cannot use the pattern \"\(pattern.shortened)\"")
                })
        }
        if matching.isEmpty { return graph }
        var result = graph
        var number = 0
        for (index, node) in graph.nodes.enumerated()
        where node.mode == .active && !BroadcastSender.types.contains(node.type) && VirtualNode(node.type) == nil {
            let types = Dictionary(slots(of: node).map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
            let receiver = matching.receiver(
                node, title: node.title ?? catalogue.shape(node.type)?.displayName ?? node.type)
            for (slot, input) in node.inputs.enumerated() where input.link.flatMap({ graph.links[$0] }) == nil {
                guard let sender = matching.sender(to: receiver, input.name, type: types[input.name] ?? input.type)
                else { continue }
                result.connect(
                    node: index, input: slot,
                    to: GraphLink(
                        id: "broadcast \(number)", origin: sender.origin, originSlot: sender.originSlot,
                        target: node.id, targetSlot: slot, type: sender.type))
                number += 1
                let source = graph.nodes[sender.node]
                broadcastNote(
                    node,
                    "\"\(input.name)\" is fed by node \(sender.origin) through \"\(source.type)\" (node \(source.id))")
            }
        }
        if matching.isExhausted {
            notes.append(
                ConversionNote(
                    kind: .broadcast, node: "", classType: "",
                    message: "the file has too many broadcasts to match; some inputs stay unconnected"))
        }
        return result
    }

    private func broadcastNote(_ node: GraphNode, _ message: String) {
        notes.append(ConversionNote(kind: .broadcast, node: node.id, classType: node.type, message: message))
    }
}

/// The senders of a graph, and the choice among them.
struct BroadcastMatching {
    /// A node that may receive, with what senders ask about it.
    struct Receiver {
        var node: GraphNode
        var title: String
        /// The numbers and titles of the boxes around it.
        var boxes: [(offset: Int, title: String)]
    }

    private let graph: Graph
    private var senders: [String: [BroadcastSender]] = [:]
    private var boxesOfSenders: [Int: Set<Int>] = [:]
    /// What may still be compared. Real files stay far below; it keeps hostile ones from running for hours.
    private var budget = 20_000_000

    init(_ graph: Graph) { self.graph = graph }

    var isEmpty: Bool { senders.isEmpty }
    var isExhausted: Bool { budget < 0 }
    private var usesBoxes: Bool { !boxesOfSenders.isEmpty }

    mutating func add(_ found: [BroadcastSender]) {
        for sender in found where !SlotType.isWildcard(sender.type) {
            senders[sender.type, default: []].append(sender)
            if sender.boxes != nil || sender.boxRestriction != .none, boxesOfSenders[sender.node] == nil {
                boxesOfSenders[sender.node] = Set(boxes(around: graph.nodes[sender.node]).map(\.offset))
            }
        }
    }

    mutating func receiver(_ node: GraphNode, title: String) -> Receiver {
        Receiver(node: node, title: title, boxes: usesBoxes ? boxes(around: node) : [])
    }

    /// The sender of highest priority that an input accepts, unless two share it.
    mutating func sender(to receiver: Receiver, _ input: String, type: String) -> BroadcastSender? {
        var best: BroadcastSender?
        var isTied = false
        for sender in senders[type] ?? [] {
            budget -= 1
            guard budget >= 0 else { return nil }
            if let best, sender.priority < best.priority { continue }
            guard accepts(receiver, input, from: sender) else { continue }
            isTied = best?.priority == sender.priority
            best = sender
        }
        return isTied ? nil : best
    }

    private mutating func accepts(_ receiver: Receiver, _ input: String, from sender: BroadcastSender) -> Bool {
        guard sender.origin != receiver.node.id else { return false }
        let own = boxesOfSenders[sender.node] ?? []
        let isTogether = receiver.boxes.contains { own.contains($0.offset) }
        let isSameColor = graph.nodes[sender.node].drawing["color"] == receiver.node.drawing["color"]
        guard sender.boxRestriction.allows(isTogether), sender.colorRestriction.allows(isSameColor) else {
            return false
        }
        for (filter, texts) in [
            (sender.titles, [receiver.title]), (sender.inputs, [input]), (sender.boxes, receiver.boxes.map(\.title)),
        ] {
            guard let filter else { continue }
            budget -= texts.reduce(0) { $0 + filter.pattern.cost($1) }
            guard budget >= 0, filter.accepts(texts) else { return false }
        }
        return true
    }

    /// The boxes that hold the middle of a node.
    private mutating func boxes(around node: GraphNode) -> [(offset: Int, title: String)] {
        budget -= graph.boxes.count
        guard budget >= 0, let x = node.drawing["pos"]?.coordinate(0), let y = node.drawing["pos"]?.coordinate(1)
        else { return [] }
        let middleX = x + (node.drawing["size"]?.coordinate(0) ?? 0) / 2
        let middleY = y + (node.drawing["size"]?.coordinate(1) ?? 0) / 2
        return graph.boxes.enumerated().compactMap { offset, box in
            let isInside =
                middleX >= box.bounds[0] && middleX <= box.bounds[0] + box.bounds[2]
                && middleY >= box.bounds[1] && middleY <= box.bounds[1] + box.bounds[3]
            return isInside ? (offset, box.title) : nil
        }
    }
}

extension JSON {
    /// A part of a position: an array, or in old files an object with the keys "0" and "1".
    fileprivate func coordinate(_ index: Int) -> Double? { (self[index] ?? self[String(index)])?.doubleValue }
}
