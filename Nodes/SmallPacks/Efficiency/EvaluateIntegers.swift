import JSON
import NodeKit
import PackTools

/// A Python expression of three whole numbers.
struct EvaluateIntegers: Node {
    static let info = NodeInfo("Evaluate Integers", category: "Efficiency Nodes/Simple Eval")

    @Input(.tooltip("Arithmetic in Python's syntax.")) var pythonExpression = "((a + b) - c) / 2"
    @Input(.choices(["False", "True"])) var printToConsole: String
    @Input(.optional) var a = 0
    @Input(.optional) var b = 0
    @Input(.optional) var c = 0
    @Output("INT") var whole: Int
    @Output("FLOAT") var number: Double
    @Output("STRING") var text: String

    func run(_ context: NodeContext) async throws {
        let names = ["a": a, "b": b, "c": c]
        do {
            let value = try Expression(pythonExpression, dialect: .python).value { name, member in
                guard member == nil, let number = names[name] else {
                    throw ExpressionError("the name \(name) is unknown; use a, b and c")
                }
                return .int(number)
            }
            whole = try value.truncated()
            number = value.double
            text = value.description
        } catch let error as ExpressionError {
            throw NodeError("input \"python_expression\": \(error.message)")
        }
        if printToConsole == "True" { context.show(["text": .array([.string(text)])]) }
    }
}
