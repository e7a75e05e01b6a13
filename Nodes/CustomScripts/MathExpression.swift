import Diffusion
import JSON
import NodeKit
import PackTools
import Tensors

/// An arithmetic expression of numbers, picture sizes and other nodes' values (pack-nodes.md §5).
struct MathExpression: Node {
    static let info = NodeInfo(
        "MathExpression|pysssss", displayName: "Math Expression 🐍", category: "utils", isOutput: true,
        hidden: [.prompt, .extraPNGInfo])

    @Input(
        .multiline, .option("dynamicPrompts", .bool(false)),
        .tooltip("In Python's syntax; a.width is a picture's width."))
    var expression: String
    @Input(.type("INT,FLOAT,IMAGE,LATENT")) var a: AnyNodeValue?
    @Input(.type("INT,FLOAT,IMAGE,LATENT")) var b: AnyNodeValue?
    @Input(.type("INT,FLOAT,IMAGE,LATENT")) var c: AnyNodeValue?
    @Output("INT") var whole: Int
    @Output("FLOAT") var number: Double

    func run(_ context: NodeContext) async throws {
        do {
            let value = try Expression(expression, dialect: .mathExpression).value { name, member in
                try lookUp(name, member, context)
            }
            (whole, number) = (try value.truncated(), value.double)
            context.show(["value": .array([.string(value.description)])])
        } catch let error as ExpressionError {
            throw NodeError("input \"expression\": \(error.message)")
        }
    }

    /// Random numbers are new every time; other nodes' values are no inputs, but the result depends on them.
    func fingerprint(_ context: NodeContext) throws -> String? {
        guard $expression.isGiven else { return nil }
        if expression.contains("random") { throw AlwaysChanged() }
        guard let names = try? Expression(expression, dialect: .mathExpression).names else { return nil }
        let foreign = names.filter { !["a", "b", "c"].contains($0.name) }
        if foreign.isEmpty { return nil }
        return foreign.map { name in
            let value = try? widget(name.name, name.member, context)
            return "\(name.name).\(name.member ?? "") = \(value?.description ?? "?")"
        }.joined(separator: "\n")
    }

    private func lookUp(_ name: String, _ member: String?, _ context: NodeContext) throws -> ExpressionNumber {
        switch name {
        case "a", "b", "c":
            guard let value = ["a": a, "b": b, "c": c][name] ?? nil else {
                throw ExpressionError("\(name) is used, but nothing is connected to it")
            }
            return try number(value.base, name, member)
        default: return try widget(name, member, context)
        }
    }

    private func number(_ value: any NodeValue, _ name: String, _ member: String?) throws -> ExpressionNumber {
        if let image = value as? Image {
            let size = try image.size()
            return try side(size, name, member)
        }
        if let latent = value as? Latent {
            let shape = latent.samples.shape
            guard shape.rank >= 2 else { throw ExpressionError("\(name) is a latent without height and width") }
            return try side(
                PictureSize(width: shape[shape.rank - 1] * 8, height: shape[shape.rank - 2] * 8), name, member)
        }
        guard let literal = value as? any LiteralValue else {
            throw ExpressionError("\(name) is \(type(of: value).socketType), no number, picture or latent")
        }
        if member != nil { throw ExpressionError("\(name) is a number and has no .\(member ?? "")") }
        return try number(literal.literal, name)
    }

    private func side(_ size: PictureSize, _ name: String, _ member: String?) throws -> ExpressionNumber {
        switch member {
        case "width": return .int(size.width)
        case "height": return .int(size.height)
        default: throw ExpressionError("\(name) is a picture or latent; write \(name).width or \(name).height")
        }
    }

    /// The value of another node's widget.
    private func widget(_ name: String, _ member: String?, _ context: NodeContext) throws -> ExpressionNumber {
        guard let member else { throw ExpressionError("the name \(name) is unknown; use a, b, c or Node.widget") }
        let nodes = WorkflowNodes(context)
        guard let id = nodes.id(named: name), let inputs = nodes.inputs(of: id) else {
            throw ExpressionError("the workflow has no node called \(name)")
        }
        guard let value = inputs[member] else { throw ExpressionError("the node \(name) has no widget \(member)") }
        return try number(value, "\(name).\(member)")
    }

    private func number(_ json: JSON, _ name: String) throws -> ExpressionNumber {
        if let isTrue = json.boolValue { return .int(isTrue ? 1 : 0) }
        if case .double(let value) = json { return .real(value) }
        if let value = json.intValue { return .int(value) }
        if let text = json.stringValue {
            if let value = Int(text) { return .int(value) }
            if let value = Double(text) { return .real(value) }
        }
        throw ExpressionError("\(name) is \(json.kind) and no number of 64 bits")
    }
}
