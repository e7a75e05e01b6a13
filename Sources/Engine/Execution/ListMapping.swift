import JSON
import NodeKit

/// How often a node is called and with what, given a list of values for every input (engine-semantics.md §7).
struct ListMapping {
    private let inputs: [String: [any NodeValue]]
    private let takesLists: Bool
    /// Number of calls.
    let count: Int

    /// - Parameter takesLists: whether the node gets all lists in a single call.
    /// - Throws: `NodeError` when a list is empty although the node wants one value of it per call.
    init(_ inputs: [String: [any NodeValue]], takesLists: Bool) throws {
        self.inputs = inputs
        self.takesLists = takesLists
        if takesLists || inputs.isEmpty {
            count = 1
            return
        }
        if let empty = inputs.filter(\.value.isEmpty).map(\.key).min() {
            throw NodeError("input \"\(empty)\": the list on its link is empty, at least one value is needed")
        }
        count = inputs.values.map(\.count).max() ?? 1
    }

    /// The arguments of one call: shorter lists repeat their last value.
    func arguments(_ call: Int) -> [String: [any NodeValue]] {
        if takesLists || count == 1 { return inputs }
        return inputs.mapValues { [$0[min(call, $0.count - 1)]] }
    }
}

/// The outputs of all calls of a node: lists are joined, single values become one list.
func mergeOutputs(_ calls: [[[any NodeValue]]]) -> [[any NodeValue]] {
    guard var merged = calls.first else { return [] }
    for call in calls.dropFirst() {
        for (slot, values) in call.enumerated() where slot < merged.count { merged[slot] += values }
    }
    return merged
}

/// What the calls showed in the front end: lists under the same name are joined, of other values the last one stays.
func mergeUI(_ parts: [JSONObject]) -> JSONObject? {
    guard var merged = parts.first else { return nil }
    for part in parts.dropFirst() {
        for (key, value) in part {
            if case .array(let items)? = merged[key], case .array(let more) = value {
                merged[key] = .array(items + more)
            } else {
                merged[key] = value
            }
        }
    }
    return merged
}
