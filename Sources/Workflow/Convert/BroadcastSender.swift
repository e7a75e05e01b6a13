import JSON

/// One thing that a sender node offers to unconnected inputs.
struct BroadcastSender {
    /// Which of the graph's inputs take part.
    enum Restriction {
        case none
        /// Only those that share a box (or colour) with the sender.
        case same
        /// Only those that do not.
        case other

        init(_ json: JSON?) {
            switch json {
            case .bool(true)?: self = .same
            case .some(let value):
                switch value.intValue {
                case 1: self = .same
                case 2: self = .other
                default: self = .none
                }
            case nil: self = .none
            }
        }

        func allows(_ isSame: Bool) -> Bool {
            switch self {
            case .none: true
            case .same: isSame
            case .other: !isSame
            }
        }
    }

    /// A pattern on a title or name; `nil` accepts all.
    struct Filter {
        var pattern: TextPattern
        var isInverted: Bool

        func accepts(_ texts: [String]) -> Bool { texts.contains { pattern.isFound(in: $0) } != isInverted }
    }

    /// The sender's position in the graph's nodes.
    var node: Int
    var origin: String
    var originSlot: Int
    var type: String
    var priority: Double
    var titles: Filter?
    var inputs: Filter?
    var boxes: Filter?
    var boxRestriction = Restriction.none
    var colorRestriction = Restriction.none

    static let types: Set<String> = [
        "Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere", "Seed Everywhere",
    ]

    /// What a node in a graph sends.
    ///
    /// - Parameter refused: called with patterns that cannot be used; what has such a pattern is not sent.
    static func senders(of index: Int, in graph: Graph, refused: (String) -> Void) -> [BroadcastSender] {
        let node = graph.nodes[index]
        let properties = node.properties["ue_properties"]?.objectValue ?? node.properties
        let values = node.positionalValues
        var patterns: [String?] = ["title", "input", "group"].map { properties[$0 + "_regex"]?.stringValue }
        if node.type == "Anything Everywhere?" {
            for (place, value) in values.prefix(3).enumerated() {
                patterns[place] = patterns[place] ?? value.stringValue
            }
        }
        var filters: [Filter?] = []
        for (name, text) in zip(["title", "input", "group"], patterns) {
            guard let text, !text.isEmpty, text != ".*" else {
                filters.append(nil)
                continue
            }
            guard let pattern = TextPattern(text) else {
                refused(text)
                return []
            }
            filters.append(
                Filter(pattern: pattern, isInverted: properties["\(name)_regex_invert"] == .bool(true)))
        }
        let boxes = Restriction(properties["group_restricted"])
        let colors = Restriction(properties["color_restricted"])
        var boost = properties["priority_boost"]?.doubleValue ?? 0
        if boxes != .none { boost += 0.1 }
        if colors != .none { boost += 0.3 }
        func sender(_ origin: String, _ slot: Int, _ type: String, _ priority: Double, _ inputs: Filter? = nil)
            -> BroadcastSender
        {
            BroadcastSender(
                node: index, origin: origin, originSlot: slot, type: type,
                priority: (properties["priority"]?.doubleValue ?? priority) + boost, titles: filters[0],
                inputs: inputs ?? filters[1], boxes: filters[2], boxRestriction: boxes, colorRestriction: colors)
        }
        func linked(_ input: GraphInput) -> GraphLink? {
            guard let id = input.link, let link = graph.links[id], graph.node(link.origin)?.mode == .active else {
                return nil
            }
            return link
        }
        switch node.type {
        case "Seed Everywhere": return [sender(node.id, 0, "INT", 5, filter("seed"))]
        case "Prompts Everywhere":
            return zip(node.inputs, ["(_|\\b)pos(itive|_|\\b)|^prompt", "(_|\\b)neg(ative|_|\\b)"]).compactMap {
                (input, names) in
                linked(input).map { sender($0.origin, $0.originSlot, "CONDITIONING", 5, filter(names)) }
            }
        default:
            let priority: Double =
                switch node.type {
                case "Anything Everywhere?": 10
                case "Anything Everywhere": 2
                default: 0
                }
            return node.inputs.compactMap { input in
                linked(input).map { link in
                    let given = graph.node(link.origin)?.outputs ?? []
                    let originType = given.indices.contains(link.originSlot) ? given[link.originSlot].type : "*"
                    let type = SlotType.isWildcard(link.type) ? originType : link.type
                    return sender(link.origin, link.originSlot, type, priority)
                }
            }
        }
    }

    private static func filter(_ text: String) -> Filter? {
        TextPattern(text).map { Filter(pattern: $0, isInverted: false) }
    }
}
