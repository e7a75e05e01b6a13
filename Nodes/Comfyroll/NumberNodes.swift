import JSON
import NodeKit
import PackTools

/// index + interval (pack-nodes.md §4).
struct CRIndexIncrement: Node {
    static let info = NodeInfo(
        "CR Index Increment", displayName: "🔢 CR Index Increment", category: "🧩 Comfyroll Studio/🛠️ Utils/🔢 Index")

    @Input(.range(-10000...10000), .forceInput) var index: Int
    @Input(.range(-10000...10000)) var interval = 1
    @Output("index") var result: Int
    // Declared as INT in the pack, which gives the help text all the same.
    @Output("interval", type: "INT") var second: String
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let (sum, overflow) = index.addingReportingOverflow(interval)
        if overflow { throw NodeError("\(index) + \(interval) does not fit in 64 bits") }
        (result, second, help) = (sum, helpText, helpText)
    }
}

/// One of two numbers.
struct CRSetValueOnBinary: Node {
    static let info = NodeInfo(
        "CR Set Value On Binary", displayName: "⚙️ CR Set Value On Binary",
        category: "🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic")

    @Input(.range(0...1), .forceInput) var binary: Int
    @Input(.named("value_if_1")) var valueIf1 = 1.0
    @Input(.named("value_if_0")) var valueIf0 = 0.0
    @Output("INT") var whole: Int
    @Output("FLOAT") var number: Double
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws {
        let value = binary == 1 ? valueIf1 : valueIf0
        (whole, number, help) = (value.truncatedInt, value, helpText)
    }
}

/// A number.
struct CRValue: Node {
    static let info = NodeInfo(
        "CR Value", displayName: "⚙️ CR Value", category: "🧩 Comfyroll Studio/🛠️ Utils/⚙️ Other")

    @Input var value = 1.0
    @Output("FLOAT") var number: Double
    @Output("INT") var whole: Int
    @Output("show_help") var help: String

    func run(_ context: NodeContext) async throws { (number, whole, help) = (value, value.truncatedInt, helpText) }
}
