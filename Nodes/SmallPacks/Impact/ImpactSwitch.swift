import JSON
import NodeKit

/// One of any number of values by number, from 1; only the chosen one is computed (pack-nodes.md §10).
struct ImpactSwitch: LazyNode {
    static let info = NodeInfo(
        "ImpactSwitch", displayName: "Switch (Any)", category: "ImpactPack/Util", hidden: [.extraPNGInfo, .uniqueID])
    /// The inputs of which only the chosen one is computed; links to later ones are computed all.
    private static let lazyCount = 20

    @Input(.range(1...999_999)) var select = 1
    @Input(.tooltip("When the pack chooses; there is no difference here.")) var selMode = false
    @Input(.lazy, .optional) var input1: AnyNodeValue?
    @Input(.lazy, .optional) var input2: AnyNodeValue?
    @Input(.lazy, .optional) var input3: AnyNodeValue?
    @Input(.lazy, .optional) var input4: AnyNodeValue?
    @Input(.lazy, .optional) var input5: AnyNodeValue?
    @Input(.lazy, .optional) var input6: AnyNodeValue?
    @Input(.lazy, .optional) var input7: AnyNodeValue?
    @Input(.lazy, .optional) var input8: AnyNodeValue?
    @Input(.lazy, .optional) var input9: AnyNodeValue?
    @Input(.lazy, .optional) var input10: AnyNodeValue?
    @Input(.lazy, .optional) var input11: AnyNodeValue?
    @Input(.lazy, .optional) var input12: AnyNodeValue?
    @Input(.lazy, .optional) var input13: AnyNodeValue?
    @Input(.lazy, .optional) var input14: AnyNodeValue?
    @Input(.lazy, .optional) var input15: AnyNodeValue?
    @Input(.lazy, .optional) var input16: AnyNodeValue?
    @Input(.lazy, .optional) var input17: AnyNodeValue?
    @Input(.lazy, .optional) var input18: AnyNodeValue?
    @Input(.lazy, .optional) var input19: AnyNodeValue?
    @Input(.lazy, .optional) var input20: AnyNodeValue?
    @UndeclaredInputs var more
    @Output("selected_value", type: "*") var value: AnyNodeValue
    @Output("selected_label") var label: String
    @Output("selected_index") var index: Int

    func neededInputs(_ context: NodeContext) async throws -> [String] {
        (1...Self.lazyCount).contains(select) ? ["input\(select)"] : []
    }

    func run(_ context: NodeContext) async throws {
        let declared = [
            input1, input2, input3, input4, input5, input6, input7, input8, input9, input10, input11, input12, input13,
            input14, input15, input16, input17, input18, input19, input20,
        ]
        let given =
            (1...Self.lazyCount).contains(select)
            ? declared[select - 1] : more["input\(select)"].map { AnyNodeValue($0) }
        guard let given else {
            throw NodeError("input \"input\(select)\" is chosen, but nothing is connected to it")
        }
        (value, label, index) = (given, shownName(context), select)
    }

    /// The slot's name as the user sees it, if the file with the drawing has one.
    private func shownName(_ context: NodeContext) -> String {
        let port = "input\(select)"
        let nodes = context.extraPNGInfo["workflow"]?["nodes"]?.arrayValue ?? []
        let own = nodes.first { ($0["id"]?.intValue.map(String.init) ?? $0["id"]?.stringValue) == context.nodeID }
        let slot = own?["inputs"]?.arrayValue?.first { $0["name"]?.stringValue == port }
        return slot?["label"]?.stringValue ?? port
    }
}
