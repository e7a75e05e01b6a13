/// A node type as the engine sees it: schema and code.
public struct NodeDefinition: Sendable {
    public let schema: NodeSchema
    private let makeNode: @Sendable () -> any Node

    /// The definition of a node type, read from its property wrappers.
    public init<N: Node>(_ type: N.Type, module: String = "nodes") {
        let info = N.info
        var inputs: [InputSchema] = []
        var outputs: [OutputSchema] = []
        for child in Mirror(reflecting: N()).children {
            let label = (child.label ?? "").drop { $0 == "_" }
            if let port = child.value as? any InputPort { inputs.append(port.schema(label: String(label))) }
            if let port = child.value as? any OutputPort { outputs.append(port.schema) }
        }
        schema = NodeSchema(
            id: info.id, displayName: info.displayName, category: info.category, description: info.description,
            module: module, isOutput: info.isOutput, version: info.version, usesNodeID: info.usesNodeID,
            inputs: inputs.filter { !$0.isOptional } + inputs.filter { $0.isOptional }, hidden: info.hidden,
            outputs: outputs)
        makeNode = { N() }
    }

    /// Runs the node once.
    ///
    /// - Parameter inputs: values by port; one value each, or the whole list for list inputs.
    /// - Returns: the values of each output (several for list outputs).
    public func run(_ inputs: [String: [any NodeValue]], _ context: NodeContext) async throws -> [[any NodeValue]] {
        let node = makeNode()
        try bind(node, inputs)
        try await node.run(context)
        var results: [[any NodeValue]] = []
        for child in Mirror(reflecting: node).children {
            guard let port = child.value as? any OutputPort else { continue }
            guard let values = port.values else {
                throw NodeError("node \(schema.id) did not set its output \"\(port.schema.name)\"")
            }
            results.append(values)
        }
        return results
    }

    /// The node's change text (see ``Node/fingerprint(_:)``) for constant inputs.
    public func fingerprint(_ inputs: [String: [any NodeValue]], _ context: NodeContext) throws -> String? {
        let node = makeNode()
        try bind(node, inputs)
        return try node.fingerprint(context)
    }

    private func bind(_ node: any Node, _ inputs: [String: [any NodeValue]]) throws {
        for child in Mirror(reflecting: node).children {
            guard let port = child.value as? any InputPort else { continue }
            let name = port.schema(label: String((child.label ?? "").drop { $0 == "_" })).name
            if let values = inputs[name] { try port.bind(values, port: name) }
        }
    }
}

/// A named collection of node types: one module.
public struct NodePack: Sendable {
    public let name: String
    public let definitions: [NodeDefinition]

    /// - Parameter module: `python_module` of the schema: "nodes" for the core, else "custom_nodes.NAME".
    public init(_ name: String, module: String? = nil, nodes: [any Node.Type]) {
        self.name = name
        let module = module ?? "custom_nodes.\(name)"
        definitions = nodes.map { Self.define($0, module) }
    }

    private static func define<N: Node>(_ type: N.Type, _ module: String) -> NodeDefinition {
        NodeDefinition(type, module: module)
    }
}
