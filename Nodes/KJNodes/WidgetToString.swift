import JSON
import NodeKit
import PackTools

/// The text of another node's widget, for file names and the like (pack-nodes.md §2).
struct WidgetToString: Node {
    static let info = NodeInfo(
        "WidgetToString", displayName: "Widget To String", category: "KJNodes/text", usesNodeID: true,
        hidden: [.prompt, .extraPNGInfo, .uniqueID])

    @Input(.range(0...100000)) var id = 0
    @Input(.tooltip("One name, or several with commas between them.")) var widgetName = ""
    @Input var returnAll = false
    @Input(.optional, .tooltip("Finds the node by its title.")) var nodeTitle = ""
    @Input(.optional, .range(0...10), .tooltip("Of numbers with a fraction.")) var allowedFloatDecimals = 2
    @Input(.tooltip("Finds the node by this link.")) var anyInput: AnyNodeValue?
    @Output("STRING") var text: String

    func run(_ context: NodeContext) async throws { text = try found(context) }

    /// The result depends on the other node's values, which are no inputs of this one.
    func fingerprint(_ context: NodeContext) throws -> String? { try? found(context) }

    private func found(_ context: NodeContext) throws -> String {
        let nodes = WorkflowNodes(context)
        let target: String?
        if !nodeTitle.isEmpty {
            target = nodes.id(titled: nodeTitle)
        } else if id != 0 {
            target = String(id)
        } else {
            target = nodes.source(of: "any_input", of: context.nodeID)
        }
        guard let target, let inputs = nodes.inputs(of: target) else {
            let wanted =
                nodeTitle.isEmpty
                ? (id != 0 ? "with the id \(id)" : "linked to any_input") : "titled \"\(nodeTitle.prefix(80))\""
            throw NodeError("the workflow has no node \(wanted)")
        }
        if returnAll {
            return inputs.map { "\($0.key): \(text(of: $0.value))" }.joined(separator: ", ")
        }
        let names = PythonText.split(widgetName, at: ",").map(PythonText.stripped)
        let values = try names.map { name in
            guard let value = inputs[name] else {
                let known = inputs.keys.prefix(20).joined(separator: ", ")
                throw NodeError("node \(target) has no widget \"\(name.prefix(80))\"; it has: \(known)")
            }
            return (name, text(of: value))
        }
        return values.count == 1 ? values[0].1 : values.map { "\($0): \($1)" }.joined(separator: ", ")
    }

    private func text(of value: JSON) -> String {
        switch value {
        case .double(let number): PythonText.fixed(number, decimals: allowedFloatDecimals)
        case .string(let text): text
        case .bool(let isTrue): isTrue ? "True" : "False"
        case .null: "None"
        default: value.text(.python)
        }
    }
}
