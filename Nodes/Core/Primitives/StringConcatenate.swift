import JSON
import NodeKit

/// Two texts with a delimiter between them.
struct StringConcatenate: Node {
    static let info = NodeInfo(
        "StringConcatenate", displayName: "Concatenate", category: "utils/string", style: .v3)

    @Input(.multiline) var stringA: String
    @Input(.multiline) var stringB: String
    @Input(.option("multiline", .bool(false))) var delimiter = ""
    @Output var result: String

    func run(_ context: NodeContext) async throws { result = stringA + delimiter + stringB }
}
