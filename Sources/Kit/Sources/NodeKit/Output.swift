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
        nonmutating set { box.value = newValue }
    }

    var schema: OutputSchema {
        let type = type ?? Value.outputType
        return OutputSchema(name: name ?? type, type: type, isList: Value.isList)
    }

    var values: [any NodeValue]? { box.value?.nodeValues }
}

/// The type-erased side of ``Output``.
protocol OutputPort {
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
