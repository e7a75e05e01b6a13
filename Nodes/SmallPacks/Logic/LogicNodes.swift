import JSON
public import NodeKit

/// Nodes of ComfyUI-Logic: constants (pack-nodes.md §10).
public let logicPack = NodePack(
    "ComfyUI-Logic", nodes: [LogicInt.self, LogicFloat.self, LogicString.self, LogicBool.self])

/// A whole number.
struct LogicInt: Node {
    static let info = NodeInfo("Int-🔬", displayName: "Int", category: "ComfyUI-Logic")

    @Input(.min(.int(-.max)), .max(.int(.max))) var value = 0
    @Output("INT") var result: Int

    func run(_ context: NodeContext) async throws { result = value }
}

/// A number.
struct LogicFloat: Node {
    static let info = NodeInfo("Float-🔬", displayName: "Float", category: "ComfyUI-Logic")

    @Input var value = 0.0
    @Output("FLOAT") var result: Double

    func run(_ context: NodeContext) async throws { result = value }
}

/// A text.
struct LogicString: Node {
    static let info = NodeInfo("String-🔬", displayName: "String", category: "ComfyUI-Logic")

    @Input(.multiline) var value = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws { result = value }
}

/// A switch.
struct LogicBool: Node {
    static let info = NodeInfo("Bool-🔬", displayName: "Bool", category: "ComfyUI-Logic")

    @Input var value = false
    @Output("BOOLEAN") var result: Bool

    func run(_ context: NodeContext) async throws { result = value }
}
