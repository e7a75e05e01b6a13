import NodeKit

/// One of up to ten values by number; only the chosen one is computed (pack-nodes.md §10).
struct EasyAnythingIndexSwitch: LazyNode {
    static let info = NodeInfo(
        "easy anythingIndexSwitch", displayName: "Any Index Switch", category: "EasyUse/Logic/Index Switch")

    @Input(.range(0...9)) var index = 0
    @Input(.lazy, .optional) var value0: AnyNodeValue?
    @Input(.lazy, .optional) var value1: AnyNodeValue?
    @Input(.lazy, .optional) var value2: AnyNodeValue?
    @Input(.lazy, .optional) var value3: AnyNodeValue?
    @Input(.lazy, .optional) var value4: AnyNodeValue?
    @Input(.lazy, .optional) var value5: AnyNodeValue?
    @Input(.lazy, .optional) var value6: AnyNodeValue?
    @Input(.lazy, .optional) var value7: AnyNodeValue?
    @Input(.lazy, .optional) var value8: AnyNodeValue?
    @Input(.lazy, .optional) var value9: AnyNodeValue?
    @Output("value", type: "*") var result: AnyNodeValue

    func neededInputs(_ context: NodeContext) async throws -> [String] {
        try requireKnown()
        return ["value\(index)"]
    }

    func run(_ context: NodeContext) async throws {
        try requireKnown()
        let values = [value0, value1, value2, value3, value4, value5, value6, value7, value8, value9]
        guard let value = values[index] else {
            throw NodeError("input \"value\(index)\" is chosen, but nothing is connected to it")
        }
        result = value
    }

    private func requireKnown() throws {
        guard (0...9).contains(index) else { throw NodeError("input \"index\": \(index) is not between 0 and 9") }
    }
}
