/// A node: typed inputs and outputs, and what it does.
///
/// ```swift
/// struct Repeat: Node {
///     static let info = NodeInfo("Repeat", category: "text")
///     @Input var text: String
///     @Input(.min(0)) var times = 2
///     @Output var result: String
///     func run(_ context: NodeContext) async throws {
///         result = String(repeating: text, count: times)
///     }
/// }
/// ```
/// A fresh value is made for every execution.
public protocol Node: SendableMetatype {
    static var info: NodeInfo { get }
    init()

    /// Computes the outputs. Throw ``NodeError`` for what the user should read.
    func run(_ context: NodeContext) async throws

    /// A text that changes when the result would change for equal inputs (a file's fingerprint); part of the cache key.
    /// Called with constants only: linked inputs are absent. `nil`: never changes. Throw ``AlwaysChanged`` when the result
    /// must not be used again.
    func fingerprint(_ context: NodeContext) throws -> String?

    // Which further protocols the type has is said by the compiler: to ask at run time (`as?`) searches all conformances of
    // the program for every node type, which takes longer than all else at the start. Not to be implemented.
    static var asValidatingNode: (any ValidatingNode.Type)? { get }
    static var asLazyNode: (any LazyNode.Type)? { get }
}

extension Node {
    public static var asValidatingNode: (any ValidatingNode.Type)? { nil }
    public static var asLazyNode: (any LazyNode.Type)? { nil }
    public func fingerprint(_ context: NodeContext) throws -> String? { throw NoFingerprint() }
}

/// Thrown by ``Node/fingerprint(_:)``: the node is to run every time.
public struct AlwaysChanged: Error, Sendable {
    public init() {}
}

/// Tells ``NodeDefinition`` that a node type has no change text, so that it need not ask again.
struct NoFingerprint: Error {}

/// What does not follow from a node's inputs and outputs.
public struct NodeInfo: Sendable {
    public var id: String
    public var displayName: String
    /// Whether the name was given; front ends show the id of nodes without one.
    public var hasDisplayName: Bool
    public var category: String
    public var description: String
    public var isOutput: Bool
    public var version: Int
    public var usesNodeID: Bool
    public var hidden: [HiddenInput]
    public var style: SchemaStyle
    /// Kept for old workflows only; front ends hide it.
    public private(set) var isDeprecated = false
    /// May change; front ends say so.
    public private(set) var isExperimental = false
    public var work: NodeWork

    /// - Parameters:
    ///   - id: the name in workflow files (`class_type`).
    ///   - displayName: for people; the id if absent.
    ///   - isOutput: whether the node is run even if nothing consumes its outputs.
    ///   - version: increase it when results change for equal inputs, so that kept ones are not used.
    ///   - usesNodeID: whether equal nodes may give different results; each then shares results only with itself.
    ///   - style: how the schema is written; `.v3` for nodes that are so in the reference.
    ///   - work: what the node does while it runs.
    public init(
        _ id: String, displayName: String? = nil, category: String, description: String = "", isOutput: Bool = false,
        version: Int = 1, usesNodeID: Bool = false, hidden: [HiddenInput] = [], style: SchemaStyle = .classic,
        work: NodeWork = .computing
    ) {
        self.id = id
        self.displayName = displayName ?? id
        hasDisplayName = displayName != nil
        self.category = category
        self.description = description
        self.isOutput = isOutput
        self.version = version
        self.usesNodeID = usesNodeID
        self.hidden = hidden
        self.style = style
        self.work = work
    }

    /// The same, marked as kept for old workflows only.
    public var deprecated: NodeInfo {
        var copy = self
        copy.isDeprecated = true
        return copy
    }

    /// The same, marked as subject to change.
    public var experimental: NodeInfo {
        var copy = self
        copy.isExperimental = true
        return copy
    }
}

/// What went wrong in a node, in words for the user: what was found, what was expected, what to do.
public struct NodeError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
