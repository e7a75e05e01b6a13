import Synchronization

/// A node type as the engine sees it: schema and code. One object however often graphs use the type.
public final class NodeDefinition: Sendable {
    /// Computes the outputs of one call: several values for a list output, else one.
    public typealias Body = @Sendable ([String: [any NodeValue]], NodeContext) async throws -> [[any NodeValue]]
    /// The change text for constant inputs, and the names of those that come from links.
    public typealias Fingerprint = @Sendable ([String: [any NodeValue]], Set<String>, NodeContext) throws -> String?
    /// The lazy ports that a node wants evaluated, given the values that are known.
    public typealias LazyCheck = @Sendable ([String: [any NodeValue]], NodeContext) async throws -> [String]

    public let schema: NodeSchema
    /// The node's own judgement of its constants, if it has one.
    public let validator: NodeValidator?
    /// Asks a ``LazyNode`` what it needs; `nil` for other nodes.
    public let lazyCheck: LazyCheck?
    private let body: Body
    private let changeText: Fingerprint
    private let knowledge: FingerprintKnowledge?

    /// The definition of a node type, read from its property wrappers.
    public init<N: Node>(_ type: N.Type, module: String = "nodes") {
        let info = N.info
        var inputs: [InputSchema] = []
        var outputs: [OutputSchema] = []
        var takesUndeclared = false
        for child in Mirror(reflecting: N()).children {
            let label = (child.label ?? "").drop { $0 == "_" }
            switch (child.value as? any NodePort)?.role {
            case .input(let port)?: inputs.append(port.schema(label: String(label)))
            case .output(let port)?: outputs.append(port.schema)
            case .undeclared?: takesUndeclared = true
            case nil: break
            }
        }
        var schema = NodeSchema(
            id: info.id, displayName: info.displayName, category: info.category, description: info.description,
            module: module, isOutput: info.isOutput, version: info.version, usesNodeID: info.usesNodeID,
            inputs: inputs.filter { !$0.isOptional } + inputs.filter { $0.isOptional }, hidden: info.hidden,
            outputs: outputs, style: info.style, work: info.work, takesUndeclared: takesUndeclared)
        schema.isDeprecated = info.isDeprecated
        schema.hasDisplayName = info.hasDisplayName
        schema.isExperimental = info.isExperimental
        self.schema = schema
        let names = inputs.map(\.name)
        let id = info.id
        body = { values, context in
            let node = N()
            let ports = Ports(of: node)
            try ports.bind(values, names, isComplete: true)
            try await node.run(context)
            return try ports.results(of: id)
        }
        let knowledge = FingerprintKnowledge()
        self.knowledge = knowledge
        changeText = { values, linked, context in
            let node = N()
            let ports = Ports(of: node)
            try ports.bind(values, names, isComplete: false)
            let text: String?
            do {
                text = try node.fingerprint(context)
            } catch is NoFingerprint {
                knowledge.learnThatThereIsNone()
                return nil
            }
            for (port, name) in zip(ports.inputs, names) where port.wasReadUnset && linked.contains(name) {
                throw NodeError("its change text depends on input \"\(name)\", whose value comes from a link")
            }
            return text
        }
        validator = type.asValidatingNode.map { makeValidator($0, names) }
        lazyCheck = type.asLazyNode.map { makeLazyCheck($0, names) }
    }

    /// A definition from its parts, for nodes whose ports are only known at run time.
    ///
    /// - Parameters:
    ///   - fingerprint: see ``Node/fingerprint(_:)``.
    ///   - body: gets the values by port and returns the values of every output in the schema's order.
    public init(
        schema: NodeSchema, fingerprint: @escaping Fingerprint = { _, _, _ in nil }, validator: NodeValidator? = nil,
        lazyCheck: LazyCheck? = nil, body: @escaping Body
    ) {
        self.schema = schema
        self.validator = validator
        self.lazyCheck = lazyCheck
        self.body = body
        changeText = fingerprint
        knowledge = nil
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

    /// Whether ``fingerprint(_:linked:_:)`` can give anything but `nil`; known after it was asked once.
    public var mayHaveFingerprint: Bool { knowledge?.isNone != true }

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
        try Ports(of: node).bind(constants, names, isComplete: false)
        return try await node.validate(files, received: types)
    }
}

private func makeLazyCheck<N: LazyNode>(_ type: N.Type, _ names: [String]) -> NodeDefinition.LazyCheck {
    { values, context in
        let node = N()
        try Ports(of: node).bind(values, names, isComplete: true)
        return try await node.neededInputs(context)
    }
}

/// The ports of one node value, found once per call: they share their storage with the node's properties.
private struct Ports {
    var inputs: [any InputPort] = []
    var outputs: [any OutputPort] = []
    var undeclared: UndeclaredInputs?

    init(of node: any Node) {
        for child in Mirror(reflecting: node).children {
            switch (child.value as? any NodePort)?.role {
            case .input(let port)?: inputs.append(port)
            case .output(let port)?: outputs.append(port)
            case .undeclared(let port)?: undeclared = port
            case nil: break
            }
        }
    }

    /// Sets the input properties; `names` are their ports in order of declaration.
    func bind(_ values: [String: [any NodeValue]], _ names: [String], isComplete: Bool) throws {
        for (port, name) in zip(inputs, names) {
            if let values = values[name] { try port.bind(values, port: name) }
            if isComplete && port.isMissing { throw NodeError("input \"\(name)\": required, but no value was given") }
        }
        guard let undeclared else { return }
        for (name, values) in values where !names.contains(name) { undeclared.box.values[name] = values.first }
    }

    /// The values that `run` gave the output properties.
    func results(of id: String) throws -> [[any NodeValue]] {
        try outputs.map { port in
            guard let values = port.values else {
                throw NodeError("node \(id) did not set its output \"\(port.schema.name)\"")
            }
            return values
        }
    }
}

/// Whether a node type is known to have no change text.
private final class FingerprintKnowledge: Sendable {
    private let none = Atomic(false)
    var isNone: Bool { none.load(ordering: .relaxed) }
    func learnThatThereIsNone() { none.store(true, ordering: .relaxed) }
}

/// A named collection of node types: one module.
public struct NodePack: Sendable {
    public let name: String
    public let definitions: [NodeDefinition]
    /// Types of values that the pack lets the cache on disk keep.
    public let storable: StorableTypes

    /// - Parameters:
    ///   - module: `python_module` of the schema: "nodes" for the core, else "custom_nodes.NAME".
    ///   - further: ready definitions that come after those of `nodes`.
    public init(
        _ name: String, module: String? = nil, nodes: [any Node.Type], further: [NodeDefinition] = [],
        storable: StorableTypes = StorableTypes()
    ) {
        let module = module ?? "custom_nodes.\(name)"
        self.init(name, definitions: nodes.map { Self.define($0, module) } + further, storable: storable)
    }

    /// A pack of ready definitions.
    public init(_ name: String, definitions: [NodeDefinition], storable: StorableTypes = StorableTypes()) {
        self.storable = storable
        self.name = name
        self.definitions = definitions
    }

    private static func define<N: Node>(_ type: N.Type, _ module: String) -> NodeDefinition {
        NodeDefinition(type, module: module)
    }
}
