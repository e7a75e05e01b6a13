import JSON
import NodeKit

/// A constant whole number.
struct PrimitiveInt: Node {
    static let info = NodeInfo("PrimitiveInt", displayName: "Int", category: "utils/primitive", style: .v3)

    @Input(.min(.int(-.max)), .max(.int(.max)), .controlAfterGenerate) var value: Int
    @Output var result: Int

    func run(_ context: NodeContext) async throws { result = value }
}

/// A constant number.
struct PrimitiveFloat: Node {
    static let info = NodeInfo("PrimitiveFloat", displayName: "Float", category: "utils/primitive", style: .v3)

    @Input(.min(.int(-.max)), .max(.int(.max))) var value: Double
    @Output var result: Double

    func run(_ context: NodeContext) async throws { result = value }
}

/// A constant text of one line.
struct PrimitiveString: Node {
    static let info = NodeInfo("PrimitiveString", displayName: "String", category: "utils/primitive", style: .v3)

    @Input(.option("multiline", .bool(false))) var value: String
    @Output var result: String

    func run(_ context: NodeContext) async throws { result = value }
}

/// A constant text.
struct PrimitiveStringMultiline: Node {
    static let info = NodeInfo(
        "PrimitiveStringMultiline", displayName: "String (Multiline)", category: "utils/primitive", style: .v3)

    @Input(.multiline) var value: String
    @Output var result: String

    func run(_ context: NodeContext) async throws { result = value }
}

/// A constant switch.
struct PrimitiveBoolean: Node {
    static let info = NodeInfo("PrimitiveBoolean", displayName: "Boolean", category: "utils/primitive", style: .v3)

    @Input(.tooltip("On or off.")) var value: Bool
    @Output var result: Bool

    func run(_ context: NodeContext) async throws { result = value }
}
