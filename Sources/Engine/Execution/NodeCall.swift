import JSON
import NodeKit
import Tensors

/// One node about to run: everything it needs, apart from the run's state, so that it may run on any thread.
struct NodeCall: Sendable {
    var definition: NodeDefinition
    var inputs: [String: [any NodeValue]]
    var context: NodeContext
    var control: RunControl
    var relay: NodeEventRelay
    /// Keeps what the node has done so far; `nil` when its key is not known.
    var work: NodeWork?

    /// Calls the node once per element of its input lists.
    func perform() async throws -> NodeResult {
        let mapping = try ListMapping(inputs, takesLists: definition.schema.takesLists)
        var calls: [[[any NodeValue]]] = []
        for call in 0..<mapping.count {
            try control.check()
            var context = context
            context.unfinishedWork = work?.call(call)
            calls.append(try await definition.run(mapping.arguments(call), context))
        }
        return NodeResult(outputs: mergeOutputs(calls), ui: relay.ui)
    }

    /// The inputs for an error report: literals as they are, other values described.
    var describedInputs: JSONObject {
        var members = JSONObject()
        for name in inputs.keys.sorted() {
            members[name] = .array((inputs[name] ?? []).prefix(16).map(describe))
        }
        return members
    }

    private func describe(_ value: any NodeValue) -> JSON {
        if case .string(let text)? = (value as? any LiteralValue)?.literal { return .string(shortened(text, to: 1000)) }
        if let literal = (value as? any LiteralValue)?.literal { return literal }
        if let json = value as? JSONNodeValue { return .string(shortened(json.json.text(), to: 1000)) }
        let tensors = value.exportedTensors.prefix(4).map { $0.tensor.description }.joined(separator: ", ")
        return .string(tensors.isEmpty ? type(of: value).socketType : "\(type(of: value).socketType) \(tensors)")
    }
}

extension JSON {
    /// The constant as a value on a link.
    var nodeValue: any NodeValue {
        switch self {
        case .bool(let value): value
        case .int(let value): Int(value)
        case .uint(let value): value
        case .double(let value): value
        case .string(let value): value
        case .null, .array, .object: JSONNodeValue(self)
        }
    }
}
