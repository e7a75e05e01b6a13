import JSON
public import NodeKit

/// Nodes of ComfyUI_tinyterraNodes: constants.
public let tinyterraPack = NodePack("ComfyUI_tinyterraNodes", nodes: [TinyterraText.self, TinyterraInt.self])

/// A text.
struct TinyterraText: Node {
    static let info = NodeInfo("ttN text", displayName: "text", category: "🌏 tinyterra/text")

    @Input(.multiline) var text = ""
    @Output("text") var result: String

    func run(_ context: NodeContext) async throws { result = text }
}

/// A whole number, also as a number with a fraction and as text.
struct TinyterraInt: Node {
    static let info = NodeInfo("ttN int", displayName: "int", category: "🌏 tinyterra/util")

    @Input(.named("int")) var value = 0
    @Output("int") var whole: Int
    @Output("float") var number: Double
    @Output("text") var text: String

    func run(_ context: NodeContext) async throws { (whole, number, text) = (value, Double(value), String(value)) }
}
