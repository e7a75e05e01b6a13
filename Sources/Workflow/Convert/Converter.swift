import JSON
import NodeKit
import OrderedCollections

/// One conversion of a file in front-end format (ui-format.md).
///
/// The graph is expanded into scopes, then every live node is emitted with its widget values and, over them, what its
/// links lead to, and at last the links to nodes that were not emitted are taken out.
final class Converter {
    /// How deep sub-graphs may nest.
    static let maximumDepth = 32
    /// How many nodes the sub-graphs of a file may expand to.
    static let maximumExpansion = 200_000

    let file: GraphFile
    let options: ConversionOptions
    let catalogue: ShapeCatalogue
    var scopes: [Scope] = []
    var notes: [ConversionNote] = []
    var modelFiles = ModelFileHints()
    /// Where a place in the graph leads, once found.
    var origins: [Place: Origin] = [:]
    private var emitted: OrderedDictionary<String, PromptNode> = [:]
    private var expanded = 0
    private var groups: [String: GroupNode?] = [:]
    /// For each sub-graph definition, what its inputs promote.
    var promotedControls: [String: [Bool?]] = [:]

    init(_ file: GraphFile, schemas: @escaping SchemaSource, options: ConversionOptions) {
        self.file = file
        self.options = options
        catalogue = ShapeCatalogue(schemas, file: file)
    }

    func convert() throws(WorkflowError) -> Prompt {
        let root = Scope(number: 0, kind: .root, graph: broadcast(file.root))
        scopes = [root]
        // Scopes that are found while expanding join the end of the list.
        var next = 0
        while next < scopes.count {
            try expand(scopes[next])
            next += 1
        }
        emitted.reserveCapacity(root.graph.nodes.count)
        emit(root)
        removeDeadLinks()
        return Prompt(nodes: emitted)
    }

    func note(_ kind: ConversionNote.Kind, _ node: GraphNode, _ scope: Scope, _ message: String) {
        notes.append(
            ConversionNote(kind: kind, node: scope.promptID(node), classType: node.type, message: message))
    }

    /// Finds the live instances in a graph and opens a scope for each.
    private func expand(_ scope: Scope) throws(WorkflowError) {
        for (index, node) in scope.graph.nodes.enumerated() where node.mode == .active {
            let child: Scope?
            if let definition = file.subgraphs[node.type] {
                let size = definition.graph.nodes.count + definition.inputs.count
                try checkExpansion(of: node, named: definition.name, key: definition.id, size: size, in: scope)
                child = openSubgraph(definition, at: index, in: scope)
            } else if let name = GroupNode.name(of: node.type), let group = try group(named: name) {
                let size = group.nodes.count + group.wires.count
                try checkExpansion(of: node, named: name, key: name, size: size, in: scope)
                child = openGroup(group, name, at: index, in: scope)
            } else {
                if GroupNode.name(of: node.type) != nil || node.type.isUUID {
                    note(.definition, node, scope, "the file has no definition of this sub-graph")
                }
                continue
            }
            if let child {
                scope.children[index] = child
                scopes.append(child)
            }
        }
    }

    /// Refuses sub-graphs that never end.
    private func checkExpansion(of node: GraphNode, named name: String, key: String, size: Int, in scope: Scope)
        throws(WorkflowError)
    {
        guard !scope.isInside(key) else {
            throw WorkflowError(
                .unbounded, at: "node \(scope.promptID(node))", "the sub-graph \"\(name.shortened)\" contains itself",
                advice: "the file is not a workflow that ComfyUI could run")
        }
        guard scope.depth < Self.maximumDepth else {
            throw WorkflowError(
                .unbounded, at: "node \(scope.promptID(node))",
                "sub-graphs are nested deeper than \(Self.maximumDepth)")
        }
        expanded += size + 1
        guard expanded <= Self.maximumExpansion else {
            throw WorkflowError(
                .unbounded, "the sub-graphs expand to more than \(Self.maximumExpansion) nodes",
                advice: "the file is not a workflow that ComfyUI could run")
        }
    }

    /// Emits the live nodes of a scope and of those inside it. Recursion is bounded by ``maximumDepth``.
    private func emit(_ scope: Scope) {
        for (index, node) in scope.graph.nodes.enumerated() where node.mode == .active {
            if let child = scope.children[index] {
                emit(child)
            } else if VirtualNode(node.type) == nil {
                noteSources(of: node)
                emitted[scope.promptID(node)] = promptNode(node, scope)
            }
        }
    }

    private func group(named name: String) throws(WorkflowError) -> GroupNode? {
        if let known = groups[name] { return known }
        let read = try file.groupNodes[name].map { json throws(WorkflowError) in
            try GroupNode(json, at: "extra.groupNodes[\"\(name.shortened)\"]")
        }
        groups[name] = .some(read)
        return read
    }

    private func promptNode(_ node: GraphNode, _ scope: Scope) -> PromptNode {
        let shape = catalogue.shape(node.type)
        var inputs: OrderedDictionary<String, PromptValue> = [:]
        for (name, value) in widgetValues(of: node, shape, scope) {
            inputs[name] = .literal(finished(value, of: name, node, shape, scope))
        }
        for slot in slots(of: node) where slot.link != nil {
            switch origin(of: slot, in: scope) {
            case .output(let link): inputs[slot.name] = .link(link)
            case .constant(let value):
                inputs[slot.name] = .literal(finished(value, of: slot.name, node, shape, scope))
            case .nothing: break
            }
        }
        return PromptNode(classType: node.type, title: node.title, inputs: inputs)
    }

    /// Takes out the inputs that are linked to nodes which were not emitted: they do not fall back to a widget's value.
    private func removeDeadLinks() {
        for (position, entry) in emitted.elements.enumerated() {
            for (name, value) in entry.value.inputs {
                guard case .link(let link) = value, emitted[link.node] == nil else { continue }
                emitted.values[position].inputs[name] = nil
                notes.append(
                    ConversionNote(
                        kind: .unconnected, node: entry.key, classType: entry.value.classType,
                        message: "input \"\(name)\" is left out: node \(link.node), which feeds it, is switched off"))
            }
        }
    }
}

extension String {
    /// Whether this is the id of a sub-graph definition.
    fileprivate var isUUID: Bool {
        let groups = split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(\.isHexDigit)
    }
}
