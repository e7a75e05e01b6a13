import JSON
import NodeKit
import Tensors

/// One node about to run: everything it needs, apart from the run's state, so that it may run on any thread.
struct NodeCall: Sendable {
    /// What came of it.
    enum Outcome: Sendable {
        /// The outputs of every call. They hold ``LinkedOutput`` where expansions are to give the values.
        case done(calls: [[[any NodeValue]]], ui: JSONObject?, expansions: [Subgraph])
        /// The node wants these lazy inputs first.
        case needs(inputs: [String])
    }

    var definition: NodeDefinition
    var inputs: [String: [any NodeValue]]
    /// Ports with links that have no value yet.
    var missing: Set<String>
    var context: NodeContext
    var scope: RunScope
    var relay: NodeEventRelay
    /// Keeps what the node has done so far; `nil` when its key is not known.
    var journals: NodeJournals?

    /// Calls the node once per element of its input lists; before that it may ask for more inputs.
    func perform() async throws -> Outcome {
        let mapping = try ListMapping(inputs, takesLists: definition.schema.takesLists)
        if let needed = try await neededInputs(mapping), !needed.isEmpty { return .needs(inputs: needed) }
        var calls: [[[any NodeValue]]] = []
        calls.reserveCapacity(mapping.count)
        var context = context
        for call in 0..<mapping.count {
            try scope.check()
            let arguments = mapping.arguments(call)
            if let blocker = blocker(in: arguments) {
                if let message = blocker.message { relay.blocked(definition.schema.id, message) }
                // Downstream it goes on in silence.
                calls.append(definition.schema.outputs.map { _ in [ExecutionBlocker()] })
                continue
            }
            context.callIndex = call
            calls.append(try await definition.run(arguments, context))
        }
        return .done(calls: calls, ui: relay.ui, expansions: relay.expansions)
    }

    /// What a lazy node wants evaluated, over all calls; without what it has.
    private func neededInputs(_ mapping: ListMapping) async throws -> [String]? {
        guard let check = definition.lazyCheck else { return nil }
        var needed: [String] = []
        var context = context
        for call in 0..<mapping.count {
            try scope.check()
            let arguments = mapping.arguments(call)
            if blocker(in: arguments) != nil { continue }
            context.callIndex = call
            for name in try await check(arguments, context) where inputs[name] == nil && !needed.contains(name) {
                guard missing.contains(name) else {
                    let found =
                        definition.schema.input(named: name) == nil ? "has no input" : "got no link at its input"
                    throw NodeError("the node asked for \"\(name)\" to be evaluated, but \(found) of that name")
                }
                needed.append(name)
            }
        }
        return needed
    }

    private func blocker(in arguments: [String: [any NodeValue]]) -> ExecutionBlocker? {
        for values in arguments.values {
            for value in values { if let blocker = value as? ExecutionBlocker { return blocker } }
        }
        return nil
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
