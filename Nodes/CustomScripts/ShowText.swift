import JSON
import NodeKit

/// Shows a list of texts and passes it on (pack-nodes.md §1).
struct ShowText: Node {
    static let info = NodeInfo("ShowText|pysssss", displayName: "Show Text 🐍", category: "utils", isOutput: true)

    @Input(.forceInput) var text: [String]
    @Output("STRING") var shown: [String]

    func run(_ context: NodeContext) async throws {
        context.show(["text": .array(text.map { .string($0) })])
        shown = text
    }
}
