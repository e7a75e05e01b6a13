/// A property that is an output of the node; assigned in `run`.
///
/// ```swift
/// @Output("IMAGE") var image: Image
/// @Output var texts: [String]         // a list: every element is passed on by itself
/// ```
/// Outputs are numbered in the order of declaration. Without a name the socket type is used.
@propertyWrapper public struct Output<Value: OutputValue>: OutputPort {
    private final class Box {
        var value: Value?
        /// In place of a value.
        var substitute: (any NodeValue)?
    }
    private let box = Box()
    private let name: String?
    private let type: String?

    public init(_ name: String? = nil, type: String? = nil) {
        self.name = name
        self.type = type
    }

    public var wrappedValue: Value {
        get {
            guard let value = box.value else { preconditionFailure("an output was read before it was set") }
            return value
        }
        nonmutating set {
            box.value = newValue
            box.substitute = nil
        }
    }

    /// Gives access to ``block(_:)`` and ``link(_:)``.
    public var projectedValue: Output<Value> { self }

    /// Stops what depends on this output, see ``ExecutionBlocker``.
    ///
    /// - Parameter message: told to the user; `nil` stops in silence.
    public func block(_ message: String? = nil) { box.substitute = ExecutionBlocker(message) }

    /// Gives what an output of an expansion gives, see ``Subgraph``; for a list output, its whole list.
    public func link(_ link: GraphLink) { box.substitute = LinkedOutput(link) }

    var schema: OutputSchema {
        let type = type ?? Value.outputType
        return OutputSchema(name: name ?? type, type: type, isList: Value.isList)
    }

    var values: [any NodeValue]? { box.substitute.map { [$0] } ?? box.value?.nodeValues }
}

/// The type-erased side of ``Output``.
protocol OutputPort: NodePort {
    var schema: OutputSchema { get }
    /// The values set by `run`, or `nil` if it set none.
    var values: [any NodeValue]? { get }
}

/// A type that a property marked ``Output`` can have.
public protocol OutputValue {
    static var outputType: String { get }
    static var isList: Bool { get }
    var nodeValues: [any NodeValue] { get }
}

extension NodeValue {
    public static var outputType: String { socketType }
    public var nodeValues: [any NodeValue] { [(self as? AnyNodeValue)?.base ?? self] }
}

extension Array: OutputValue where Element: NodeValue {
    public static var outputType: String { Element.socketType }
    public static var isList: Bool { true }
    public var nodeValues: [any NodeValue] { map { ($0 as? AnyNodeValue)?.base ?? $0 } }
}
