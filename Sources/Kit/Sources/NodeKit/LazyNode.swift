/// A node that decides at run time which of its lazy inputs it needs.
///
/// ```swift
/// struct Choose: LazyNode {
///     static let info = NodeInfo("Choose", category: "logic")
///     @Input var first: Bool
///     @Input(.lazy) var a: Image?
///     @Input(.lazy) var b: Image?
///     @Output var image: Image
///     func neededInputs(_ context: NodeContext) async throws -> [String] { [first ? "a" : "b"] }
///     func run(_ context: NodeContext) async throws { … }
/// }
/// ```
public protocol LazyNode: Node {
    /// Ports whose values are wanted, given what is known; asked again when they are there, until nothing new is named.
    ///
    /// Ports that are known already may be named. To name one that the workflow does not link is an error.
    func neededInputs(_ context: NodeContext) async throws -> [String]
}

extension LazyNode {
    public static var asLazyNode: (any LazyNode.Type)? { Self.self }
}
