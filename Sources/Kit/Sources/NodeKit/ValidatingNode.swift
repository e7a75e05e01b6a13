/// A node that judges its constants itself, before anything of the workflow runs.
///
/// Only constants have values then: ask a property's ``Input/isGiven`` before reading one that may come from a link.
public protocol ValidatingNode: Node {
    /// What the node checks instead of the engine.
    static var checks: NodeChecks { get }

    /// Judges the constants.
    ///
    /// - Parameters:
    ///   - files: to look file names up.
    ///   - types: for every linked input the type of the output it comes from.
    /// - Returns: `nil` when they are accepted, else the reason; an empty text where there is nothing to say.
    func validate(_ files: any NodeFiles, received types: [String: String]) async throws -> String?
}

/// Which checks a ``ValidatingNode`` takes over.
public struct NodeChecks: Sendable {
    /// The ports whose ranges and choices are left to the node; `nil` for all.
    public var ports: Set<String>?
    /// Whether the types of links are left to the node as well.
    public var linkTypes: Bool

    public init(ports: Set<String>?, linkTypes: Bool = false) {
        self.ports = ports
        self.linkTypes = linkTypes
    }

    /// Whether a port's constants are left to the node.
    public func covers(_ port: String) -> Bool { ports?.contains(port) ?? true }
}

/// The validation of a node type as the engine calls it.
public struct NodeValidator: Sendable {
    public let checks: NodeChecks
    private let body: @Sendable ([String: [any NodeValue]], [String: String], any NodeFiles) async throws -> String?

    public init(
        _ checks: NodeChecks,
        _ body: @escaping @Sendable ([String: [any NodeValue]], [String: String], any NodeFiles) async throws -> String?
    ) {
        self.checks = checks
        self.body = body
    }

    /// Judges the constants of one node: values by port, received types by port, see ``ValidatingNode``.
    public func validate(
        _ constants: [String: [any NodeValue]], received types: [String: String], _ files: any NodeFiles
    ) async throws -> String? {
        try await body(constants, types, files)
    }
}

extension ValidatingNode {
    public static var asValidatingNode: (any ValidatingNode.Type)? { Self.self }
}
