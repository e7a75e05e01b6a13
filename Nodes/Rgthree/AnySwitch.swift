import JSON
import NodeKit

/// The first of any number of values that is there; all are computed (pack-nodes.md §3).
struct AnySwitch: Node {
    static let info = NodeInfo("Any Switch (rgthree)", category: "rgthree", hidden: [.prompt])

    @Input(.named("any_01")) var first: AnyNodeValue?
    @Input(.named("any_02")) var second: AnyNodeValue?
    @Input(.named("any_03")) var third: AnyNodeValue?
    @Input(.named("any_04")) var fourth: AnyNodeValue?
    @Input(.named("any_05")) var fifth: AnyNodeValue?
    @UndeclaredInputs var more
    @Output("*", type: "*") var result: AnyNodeValue

    func run(_ context: NodeContext) async throws {
        var values = more
        for (name, value) in [
            ("any_01", first), ("any_02", second), ("any_03", third), ("any_04", fourth), ("any_05", fifth),
        ] {
            if let value { values[name] = value.base }
        }
        // In the order of the prompt; a piece of graph made at run time is not in it.
        let written = context.prompt[context.nodeID]?["inputs"]?.objectValue?.keys ?? []
        let order = written.filter { values[$0] != nil } + values.keys.filter { !written.contains($0) }.sorted()
        for name in order where name.hasPrefix("any_") {
            guard let value = values[name], !(value is NoValue) else { continue }
            if let context = value as? RgthreeContext, context.isEmpty { continue }
            result = AnyNodeValue(value)
            return
        }
        throw NodeError("none of the inputs has a value; connect one that has")
    }
}
