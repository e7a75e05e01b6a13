import JSON
public import NodeKit

/// Nodes of cg-use-everywhere as they stand in a prompt: their links are made when a workflow is converted
/// (pack-nodes.md §10).
public let useEverywherePack = NodePack(
    "cg-use-everywhere",
    nodes: [SeedEverywhere.self, AnythingEverywhere.self, AnythingEverywhereByName.self, PromptsEverywhere.self])

/// A seed.
struct SeedEverywhere: Node {
    static let info = NodeInfo("Seed Everywhere", category: "everywhere", isOutput: true)

    @Input(.min(.int(0)), .max(.uint(.max)), .controlAfterGenerate) var seed: UInt64 = 0
    @Output("INT") var result: UInt64

    func run(_ context: NodeContext) async throws { result = seed }
}

/// Without effect.
struct AnythingEverywhere: Node {
    static let info = NodeInfo("Anything Everywhere", category: "everywhere", isOutput: true)

    @Input var anything: AnyNodeValue?

    func run(_ context: NodeContext) async throws {}
}

/// Without effect.
struct AnythingEverywhereByName: Node {
    static let info = NodeInfo("Anything Everywhere?", category: "everywhere", isOutput: true)

    @Input(.optional) var titleRegex = ".*"
    @Input(.optional) var inputRegex = ".*"
    @Input(.optional) var groupRegex = ".*"
    @Input var anything: AnyNodeValue?

    func run(_ context: NodeContext) async throws {}
}

/// Without effect.
struct PromptsEverywhere: Node {
    static let info = NodeInfo("Prompts Everywhere", category: "everywhere", isOutput: true)

    @Input(.named("+ve")) var positive: AnyNodeValue?
    @Input(.named("-ve")) var negative: AnyNodeValue?

    func run(_ context: NodeContext) async throws {}
}
