import CoreNodes
import JSON
import NodeKit
import PackTools

/// A whole number (pack-nodes.md §2).
struct INTConstant: Node {
    static let info = NodeInfo("INTConstant", displayName: "INT Constant", category: "KJNodes/constants")

    @Input(.min(.int(-.max)), .max(.int(.max))) var value = 0
    @Output("value") var result: Int

    func run(_ context: NodeContext) async throws { result = value }
}

/// A number, rounded to 6 decimals.
struct FloatConstant: Node {
    static let info = NodeInfo("FloatConstant", displayName: "Float Constant", category: "KJNodes/constants")

    @Input(.step(0.00001)) var value = 0.0
    @Output("value") var result: Double

    func run(_ context: NodeContext) async throws { result = PythonText.rounded(value, places: 6) }
}

/// A text of one line.
struct StringConstant: Node {
    static let info = NodeInfo("StringConstant", displayName: "String Constant", category: "KJNodes/constants")

    @Input var string = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws { result = string }
}

/// A text, by default without its line feeds.
struct StringConstantMultiline: Node {
    static let info = NodeInfo(
        "StringConstantMultiline", displayName: "String Constant Multiline", category: "KJNodes/constants")

    @Input(.multiline) var string = ""
    @Input var stripNewlines = true
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws {
        guard stripNewlines else {
            result = string
            return
        }
        result = PythonText.stripped(LiteralReplacement.replacing("\n", in: string, with: ""))
    }
}
