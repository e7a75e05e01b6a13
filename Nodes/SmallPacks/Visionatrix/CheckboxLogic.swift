import NodeKit

/// One of two values; only the chosen one is computed (pack-nodes.md §10).
struct VixCheckboxLogic: LazyNode {
    static let info = NodeInfo("VixCheckboxLogic", category: "Visionatrix/Logic")

    @Input var state = false
    @Input(.lazy, .optional) var inputOffState: AnyNodeValue?
    @Input(.lazy, .optional) var inputOnState: AnyNodeValue?
    @Output("*", type: "*") var result: AnyNodeValue

    func neededInputs(_ context: NodeContext) async throws -> [String] { [neededPort(state)] }
    func run(_ context: NodeContext) async throws { result = try chosen(state, inputOffState, inputOnState) }
}

/// The same as a checkbox of the pack's own front end.
struct VixUiCheckboxLogic: LazyNode {
    static let info = NodeInfo("VixUiCheckboxLogic", category: "Visionatrix/UI")

    @Input var state = false
    @Input(.lazy, .optional) var inputOffState: AnyNodeValue?
    @Input(.lazy, .optional) var inputOnState: AnyNodeValue?
    @Output("*", type: "*") var result: AnyNodeValue

    func neededInputs(_ context: NodeContext) async throws -> [String] { [neededPort(state)] }
    func run(_ context: NodeContext) async throws { result = try chosen(state, inputOffState, inputOnState) }
}

private func neededPort(_ state: Bool) -> String { state ? "input_on_state" : "input_off_state" }

private func chosen(_ state: Bool, _ off: AnyNodeValue?, _ on: AnyNodeValue?) throws -> AnyNodeValue {
    guard let value = state ? on : off else {
        throw NodeError("input \"\(neededPort(state))\" is chosen, but nothing is connected to it")
    }
    return value
}
