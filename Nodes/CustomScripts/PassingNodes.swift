import JSON
import NodeKit

/// Plays a sound in front ends; passes the whole list on (pack-nodes.md §5).
struct PlaySound: Node {
    static let info = NodeInfo("PlaySound|pysssss", displayName: "PlaySound 🐍", category: "utils", isOutput: true)

    @Input var any: [AnyNodeValue]
    @Input(.choices(["always", "on empty queue"])) var mode: [String]
    @Input(.range(0.0...1.0), .step(0.1)) var volume: [Double]
    @Input var file: [String]
    @Output("*", type: "*") var result: [AnyNodeValue]

    func run(_ context: NodeContext) async throws { result = any }
}

/// Passes a value on.
struct ReroutePrimitive: Node {
    static let info = NodeInfo("ReroutePrimitive|pysssss", displayName: "Reroute Primitive 🐍", category: "__hidden__")

    @Input var value: AnyNodeValue
    @Output("*", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws { result = value }
}

/// A value several times, as a list.
struct Repeater: Node {
    static let info = NodeInfo("Repeater|pysssss", displayName: "Repeater 🐍", category: "utils")

    @Input(.range(0...5000)) var repeats = 1
    @Input(.choices(["single", "multi"]), .tooltip("One list, or as many outputs (front ends).")) var output: String
    @Input(.choices(["reuse", "create"])) var nodeMode: String
    @Input var source: AnyNodeValue
    @Output("*", type: "*") var result: [AnyNodeValue]

    func run(_ context: NodeContext) async throws {
        guard (0...100_000).contains(repeats) else {
            throw NodeError("input \"repeats\": \(repeats) is too many or negative")
        }
        guard output != "multi" else {
            throw NodeError("input \"output\": \"multi\" works in the pack's own front end only; use single")
        }
        result = Array(repeating: source, count: repeats)
    }
}
