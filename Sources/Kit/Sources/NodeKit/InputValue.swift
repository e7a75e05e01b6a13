public import JSON

/// A type that a property marked ``Input`` can have: a ``NodeValue``, an optional one, or an array of them.
public protocol InputValue: Sendable {
    /// The socket type.
    static var inputType: String { get }
    static var isOptional: Bool { get }
    static var isList: Bool { get }
    /// What the property reads when the workflow gives nothing; `nil` where a value is required.
    static var absent: Self? { get }
    /// Whether a constant of a workflow file can be the value.
    static var takesLiterals: Bool { get }
    /// What a required literal reads as where its value is not known yet: 0, "" or false; `nil` for other types.
    static var blank: Self? { get }
    /// The property's value from the values on the link.
    ///
    /// - Throws: ``NodeError`` when a value has another type.
    static func make(from values: [any NodeValue], port: String) throws -> Self
    /// The default as it stands in a schema.
    var defaultLiteral: JSON? { get }
}

extension NodeValue {
    public static var inputType: String { socketType }
    public static var isOptional: Bool { false }
    public static var isList: Bool { false }
    public static var absent: Self? { nil }
    public static var takesLiterals: Bool {
        self == AnyNodeValue.self || self == JSONNodeValue.self
    }
    public static var blank: Self? { nil }
    public var defaultLiteral: JSON? { nil }

    public static func make(from values: [any NodeValue], port: String) throws -> Self {
        guard let first = values.first else { throw NodeError("input \"\(port)\": no value") }
        return try convert(first, port: port)
    }

    fileprivate static func convert(_ value: any NodeValue, port: String) throws -> Self {
        if let same = value as? Self { return same }
        if value is NoValue, self != AnyNodeValue.self {
            throw NodeError("input \"\(port)\": expected \(socketType), but the node before it has none to give")
        }
        if let boxed = value as? AnyNodeValue { return try convert(boxed.base, port: port) }
        if let anything = AnyNodeValue(value) as? Self { return anything }
        // Numbers, texts and switches pass between each other as literals do.
        if let type = Self.self as? any LiteralValue.Type, let json = literal(of: value),
            let converted = type.init(literal: json) as? Self
        {
            return converted
        }
        throw NodeError(
            "input \"\(port)\": expected \(socketType), found \(type(of: value).socketType) (\(type(of: value)))")
    }

    private static func literal(of value: any NodeValue) -> JSON? {
        (value as? any LiteralValue)?.literal ?? (value as? JSONNodeValue)?.json
    }
}

extension LiteralValue {
    public static var takesLiterals: Bool { true }
    public static var blank: Self? { Self(literal: .string("")) ?? Self(literal: .int(0)) }
    public var defaultLiteral: JSON? { literal }
}

extension Optional: InputValue where Wrapped: InputValue {
    public static var inputType: String { Wrapped.inputType }
    public static var isOptional: Bool { true }
    public static var isList: Bool { Wrapped.isList }
    public static var absent: Wrapped?? { .some(nil) }
    public static var takesLiterals: Bool { Wrapped.takesLiterals }
    public static var blank: Wrapped?? { nil }
    public var defaultLiteral: JSON? { self?.defaultLiteral }
    public static func make(from values: [any NodeValue], port: String) throws -> Wrapped? {
        if let first = values.first, first is NoValue || (first as? AnyNodeValue)?.base is NoValue { return nil }
        return try Wrapped.make(from: values, port: port)
    }
}

extension Array: InputValue where Element: NodeValue {
    public static var inputType: String { Element.inputType }
    public static var isOptional: Bool { false }
    public static var absent: [Element]? { nil }
    public static var takesLiterals: Bool { Element.takesLiterals }
    public static var blank: [Element]? { nil }
    public var defaultLiteral: JSON? { nil }
    public static func make(from values: [any NodeValue], port: String) throws -> [Element] {
        try values.map { try Element.convert($0, port: port) }
    }
}
