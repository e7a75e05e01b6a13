public import JSON
public import Workflow

/// A prompt that may run: every literal converted, every output in it sound.
public struct ValidatedPrompt: Sendable {
    /// With the converted literals, as it goes into pictures.
    public let prompt: Prompt
    /// The sound output nodes, in the order of the prompt.
    public let outputs: [String]
    let graph: Graph
    /// Positions of ``outputs`` in the graph.
    let roots: [Int]
}

/// What validation found.
public struct ValidationReport: Sendable {
    /// What is wrong with one node.
    public struct NodeReport: Sendable {
        public var id: String
        public var classType: String
        /// The title in the workflow, else the type's display name.
        public var title: String
        public var faults: [PromptFault]
        /// Output nodes that cannot run because of it.
        public var dependentOutputs: [String]
    }

    /// Why nothing of the prompt can run; `nil` when at least one output can.
    public var error: PromptFault?
    /// Nodes with faults of their own, in the order of the prompt; also when others can run.
    public var nodes: [NodeReport]
    /// What can run.
    public var validated: ValidatedPrompt?
    /// What is not installed.
    public var missing = MissingParts()

    /// Whether every requested output can run.
    public var isClean: Bool { error == nil && nodes.isEmpty }

    /// `{"error": …, "node_errors": …}` as the server answers it; `error` only for a refused prompt.
    public var json: JSON {
        var members = JSONObject()
        if let error { members["error"] = error.json }
        members["node_errors"] = nodeErrors
        return .object(members)
    }

    /// By node id: `{errors, dependent_outputs, class_type}`.
    public var nodeErrors: JSON {
        var entries = JSONObject()
        for node in nodes {
            entries[node.id] = .object([
                "errors": .array(node.faults.map(\.json)),
                "dependent_outputs": .array(node.dependentOutputs.map { .string($0) }),
                "class_type": .string(node.classType),
            ])
        }
        return .object(entries)
    }
}
