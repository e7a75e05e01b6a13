public import JSON

/// An output of a node in the running graph.
///
/// As the type of a property marked `@Input(.rawLink)` it is the link itself rather than what comes over it.
public struct GraphLink: NodeValue, Hashable {
    public static let socketType = "*"
    /// Id of the node.
    public var node: String
    /// Number of its output, from 0.
    public var slot: Int

    public init(node: String, slot: Int) {
        self.node = node
        self.slot = slot
    }
}

/// What a node's input is fed with in the running graph.
public enum GraphInput: Sendable {
    case literal(JSON)
    case link(GraphLink)
    /// A value that exists in memory only. What depends on it is never kept for later runs.
    case value(any NodeValue)
}

/// A value that stops what depends on it: nodes that get one are not run and pass it on (engine-semantics.md §8).
///
/// It stands for one element: of a list, only what is computed from that element is left out.
public struct ExecutionBlocker: NodeValue {
    public static let socketType = "*"
    /// Told to the user, by the name of the first node that is not run; `nil` stops in silence.
    public var message: String?
    public init(_ message: String? = nil) { self.message = message }
}

/// Stands in an output for one of another node of an expansion.
public struct LinkedOutput: NodeValue {
    public static let socketType = "*"
    public var link: GraphLink
    public init(_ link: GraphLink) { self.link = link }
}
