/// A node type as the engine sees it: schema and code.
public struct NodeDefinition: Sendable {
    /// Computes the outputs of one call: several values for a list output, else one.
    public typealias Body = @Sendable ([String: [any NodeValue]], NodeContext) async throws -> [[any NodeValue]]
    /// The change text for constant inputs, and the names of those that come from links.
    public typealias Fingerprint = @Sendable ([String: [any NodeValue]], Set<String>, NodeContext) throws -> String?

    public let schema: NodeSchema
    /// The node's own judgement of its constants, if it has one.
    public let validator: NodeValidator?
    private let body: Body
    private let changeText: Fingerprint

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
            outputs: outputs, style: info.style)
        let names = inputs.map(\.name)
        let id = info.id
        body = { values, context in
            let node = N()
            try bind(node, values, names, isComplete: true)
            try await node.run(context)
            return try collectOutputs(node, id)
        }
        changeText = { values, linked, context in
            let node = N()
            try bind(node, values, names, isComplete: false)
            let text = try node.fingerprint(context)
            let ports = Mirror(reflecting: node).children.compactMap { $0.value as? any InputPort }
            for (port, name) in zip(ports, names) where port.wasReadUnset && linked.contains(name) {
                throw NodeError("its change text depends on input \"\(name)\", whose value comes from a link")
            }
            return text
        }
        validator = (type as? any ValidatingNode.Type).map { makeValidator($0, names) }
    }

    /// A definition from its parts, for nodes whose ports are only known at run time.
    ///
    /// - Parameters:
    ///   - fingerprint: see ``Node/fingerprint(_:)``.
    ///   - body: gets the values by port and returns the values of every output in the schema's order.
    public init(
        schema: NodeSchema, fingerprint: @escaping Fingerprint = { _, _, _ in nil }, validator: NodeValidator? = nil,
        body: @escaping Body
    ) {
        self.schema = schema
        self.validator = validator
        self.body = body
        changeText = fingerprint
    }

    /// Runs the node once.
    ///
    /// - Parameter inputs: values by port; one value each, or the whole list for list inputs.
    /// - Returns: the values of each output (several for list outputs).
    /// - Throws: ``NodeError`` for missing or wrong inputs and outputs that were not set; what the node throws.
    public func run(_ inputs: [String: [any NodeValue]], _ context: NodeContext) async throws -> [[any NodeValue]] {
        let results = try await body(inputs, context)
        guard results.count == schema.outputs.count else {
            throw NodeError("node \(schema.id) gave \(results.count) outputs instead of \(schema.outputs.count)")
        }
        return results
    }

    /// The node's change text (see ``Node/fingerprint(_:)``) for constant inputs.
    ///
    /// - Parameter linked: ports whose values are not known yet.
    /// - Throws: what the node throws, and ``NodeError`` when the text depends on a linked input.
    public func fingerprint(
        _ inputs: [String: [any NodeValue]], linked: Set<String> = [], _ context: NodeContext
    ) throws -> String? {
        try changeText(inputs, linked, context)
    }
}

private func makeValidator<N: ValidatingNode>(_ type: N.Type, _ names: [String]) -> NodeValidator {
    NodeValidator(N.checks) { constants, types, files in
        let node = N()
        try bind(node, constants, names, isComplete: false)
        return try await node.validate(files, received: types)
    }
}

/// Sets the node's input properties; `names` are their ports in order of declaration.
private func bind(
    _ node: any Node, _ inputs: [String: [any NodeValue]], _ names: [String], isComplete: Bool
) throws {
    var position = 0
    for child in Mirror(reflecting: node).children {
        guard let port = child.value as? any InputPort else { continue }
        let name = names[position]
        position += 1
        if let values = inputs[name] { try port.bind(values, port: name) }
        if isComplete && port.isMissing { throw NodeError("input \"\(name)\": required, but no value was given") }
    }
}

private func collectOutputs(_ node: any Node, _ id: String) throws -> [[any NodeValue]] {
    var results: [[any NodeValue]] = []
    for child in Mirror(reflecting: node).children {
        guard let port = child.value as? any OutputPort else { continue }
        guard let values = port.values else {
            throw NodeError("node \(id) did not set its output \"\(port.schema.name)\"")
        }
        results.append(values)
    }
    return results
}

/// A named collection of node types: one module.
public struct NodePack: Sendable {
    public let name: String
    public let definitions: [NodeDefinition]

    /// - Parameter module: `python_module` of the schema: "nodes" for the core, else "custom_nodes.NAME".
    public init(_ name: String, module: String? = nil, nodes: [any Node.Type]) {
        let module = module ?? "custom_nodes.\(name)"
        self.init(name, definitions: nodes.map { Self.define($0, module) })
    }

    /// A pack of ready definitions.
    public init(_ name: String, definitions: [NodeDefinition]) {
        self.name = name
        self.definitions = definitions
    }

    private static func define<N: Node>(_ type: N.Type, _ module: String) -> NodeDefinition {
        NodeDefinition(type, module: module)
    }
}
