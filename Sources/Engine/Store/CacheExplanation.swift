public import JSON

/// Why each node of a workflow would run or not, if the workflow were run now.
public struct CacheExplanation: Sendable {
    public enum Verdict: String, Sendable {
        /// The result is read from the disk.
        case kept
        case runs
        /// Nothing that runs needs it.
        case notNeeded = "not_needed"
        /// It depends on what a node decides at run time.
        case open
    }

    public struct Node: Sendable {
        public var id: String
        public var title: String
        public var type: String
        public var verdict: Verdict
        /// In words, the weightiest first.
        public var reasons: [String]
        /// How long the result on disk took, if there is one.
        public var seconds: Double?
        public var byteCount: Int?
        /// Milliseconds since 1970.
        public var made: Int64?
    }

    /// In the order in which they would be considered: every node after those that feed it.
    public var nodes: [Node]

    public var json: JSON {
        .array(
            nodes.map { node in
                var members: JSONObject = [
                    "id": .string(node.id), "title": .string(node.title), "class_type": .string(node.type),
                    "verdict": .string(node.verdict.rawValue), "reasons": .array(node.reasons.map { .string($0) }),
                ]
                if let seconds = node.seconds { members["seconds"] = .double(seconds) }
                if let byteCount = node.byteCount { members["bytes"] = .int(Int64(byteCount)) }
                if let made = node.made { members["made"] = .int(made) }
                return .object(members)
            })
    }
}
