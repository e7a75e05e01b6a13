import JSON
import NodeKit
import PackTools

/// An expression of up to three numbers (pack-nodes.md §9).
struct EssentialsSimpleMath: Node {
    static let info = NodeInfo("SimpleMath+", displayName: "🔧 Simple Math", category: "essentials/utilities")

    @Input(.type("*")) var a: Double?
    @Input(.type("*")) var b: Double?
    @Input(.type("*")) var c: Double?
    @Input(.tooltip("In Python's syntax.")) var value: String
    @Output("INT") var whole: Int
    @Output("FLOAT") var number: Double

    func run(_ context: NodeContext) async throws {
        let known = ["a": a, "b": b, "c": c]
        let result: ExpressionNumber
        do {
            result = try Expression(value, dialect: .python).value { name, member in
                guard member == nil, let value = known[name] else {
                    throw ExpressionError("the name \(name)\(member.map { "." + $0 } ?? "") is unknown; use a, b and c")
                }
                return Self.exact(value ?? 0)
            }
        } catch let error as ExpressionError {
            throw NodeError("input \"value\": \(error.message)")
        }
        let double = result.double
        number = double.isNaN ? 0 : double
        whole = try ExpressionNumber.real(number.rounded(.toNearestOrEven)).truncated()
    }

    /// Whole numbers stay whole in the expression, although both kinds come over the same link.
    private static func exact(_ value: Double) -> ExpressionNumber {
        Int(exactly: value).map { .int($0) } ?? .real(value)
    }
}

/// Writes a value to the console.
struct EssentialsConsoleDebug: Node {
    static let info = NodeInfo(
        "ConsoleDebug+", displayName: "🔧 Console Debug", category: "essentials/utilities", isOutput: true)

    @Input var value: AnyNodeValue
    @Input(.optional) var prefix = "Value:"

    func run(_ context: NodeContext) async throws {
        context.show(["text": .array([.string("\(prefix) \(describedValue(value))")])])
    }
}
