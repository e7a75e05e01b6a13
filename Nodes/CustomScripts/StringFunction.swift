import CoreNodes
import JSON
import NodeKit

/// Joins texts or replaces parts of one, then tidies lists of tags (pack-nodes.md §1).
struct StringFunction: Node {
    static let info = NodeInfo(
        "StringFunction|pysssss", displayName: "String Function 🐍", category: "utils", isOutput: true)

    @Input(.choices(["append", "replace"]), .tooltip("Join the texts, or replace text_b in text_a by text_c."))
    var action: String
    @Input(.choices(["yes", "no"]), .tooltip("Remove double spaces and commas.")) var tidyTags: String
    @Input(.multiline, .option("dynamicPrompts", .bool(false)), .optional) var textA = ""
    @Input(.multiline, .option("dynamicPrompts", .bool(false)), .optional) var textB = ""
    @Input(.multiline, .option("dynamicPrompts", .bool(false)), .optional) var textC = ""
    @Output("STRING") var result: String

    func run(_ context: NodeContext) async throws {
        let isTidy = tidyTags == "yes"
        var text =
            action == "append"
            ? [textA, textB, textC].filter { !$0.isEmpty }.joined(separator: isTidy ? ", " : "")
            : try replaced()
        if isTidy { text = TagList.tidied(text) }
        context.show(["text": .array([.string(text)])])
        result = text
    }

    private func replaced() throws -> String {
        // A lone "/" both opens and closes: an empty pattern.
        guard textB.hasPrefix("/"), textB.hasSuffix("/") else {
            return LiteralReplacement.replacing(textB, in: textA, with: textC)
        }
        let pattern = try PythonPattern(String(textB.dropFirst().dropLast()))
        return try pattern.replacing(in: textA, with: PythonReplacement(textC))
    }
}
