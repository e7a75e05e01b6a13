import JSON
import NodeKit
import PackTools

/// Shows a value (pack-nodes.md §3).
struct DisplayAny: Node {
    static let info = NodeInfo("Display Any (rgthree)", category: "rgthree", isOutput: true)

    @Input var source: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        context.show(["text": .array([.string(describedValue(source))])])
    }
}

/// Shows a whole number.
struct DisplayInt: Node {
    static let info = NodeInfo("Display Int (rgthree)", category: "rgthree", isOutput: true)

    @Input(.forceInput) var input: Int

    func run(_ context: NodeContext) async throws { context.show(["text": .array([.string(String(input))])]) }
}
