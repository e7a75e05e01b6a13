import JSON
import NodeKit
import OrderedCollections
import Workflow

/// One validation of a whole prompt (engine-semantics.md §3): everything that is wrong is found, nothing is loaded.
///
/// All walks over the graph use explicit stacks: a prompt may be a chain of a million nodes.
struct Validator {
    private let registry: NodeRegistry
    private let check: InputCheck
    private let options: ValidationOptions
    private var prompt: Prompt
    private let ids: [String]
    private var faults: [Int: [PromptFault]] = [:]
    /// The definitions of the nodes, where known.
    private var definitions: [NodeDefinition?] = []
    /// Where the declared inputs' links come from.
    private var sources: [[Int]] = []
    /// The nearest known name of each unknown type, found once.
    private var nearestTypes: [String: String?] = [:]

    init(_ prompt: Prompt, registry: NodeRegistry, files: any NodeFiles, options: ValidationOptions) {
        self.prompt = prompt
        ids = prompt.ids
        self.registry = registry
        self.options = options
        check = InputCheck(lists: ChoiceLists(files), files: files)
    }

    consuming func run() async -> ValidationReport {
        definitions = prompt.nodes.values.map { registry[$0.classType] }
        let outputs = ids.indices.filter { position in
            guard definitions[position]?.schema.isOutput == true else { return false }
            return options.targets?.contains(ids[position]) ?? true
        }
        // What may be an output of a type that is not known has to be looked at too, to say all that is missing.
        let roots = (outputs + possibleOutputs()).sorted()
        sources = Array(repeating: [], count: ids.count)
        let order = checkReachable(from: roots)
        let missing = missingParts(needed: order)
        var top = checkClasses(needed: order)
        if top == nil && roots.isEmpty {
            top = PromptFault(.promptHasNoOutputs, "Prompt has no outputs", details: "", allowed: noOutputsAdvice)
        }
        let isRoot = Set(roots)
        for node in order { await askNode(node, isOutput: isRoot.contains(node)) }
        var isSound = Array(repeating: false, count: ids.count)
        for node in order {
            isSound[node] = faults[node] == nil && sources[node].allSatisfy { isSound[$0] }
        }
        let sound = roots.filter { isSound[$0] }
        if options.unknownTypes == .refusedWhereNeeded, !sound.isEmpty { top = nil }
        if top == nil && sound.isEmpty { top = outputsFailed(roots) }
        let reports = nodeReports(failing: roots.filter { !isSound[$0] })
        guard top == nil else {
            return ValidationReport(error: top, nodes: reports, validated: nil, missing: missing)
        }
        return ValidationReport(error: nil, nodes: reports, validated: assemble(sound, order), missing: missing)
    }

    private var noOutputsAdvice: String {
        "at least one output node, such as SaveImage or PreviewImage"
    }

    // MARK: Classes

    /// The faults of nodes whose class is not known: of all of them, or of those that are needed.
    ///
    /// - Returns: the first.
    private mutating func checkClasses(needed: [Int]) -> PromptFault? {
        let places = options.unknownTypes == .refused ? Array(ids.indices) : needed.sorted()
        var first: PromptFault?
        for position in places where definitions[position] == nil {
            let fault = unknownClass(ids[position], prompt.nodes.values[position])
            faults[position, default: []].insert(fault, at: 0)
            if first == nil { first = fault }
        }
        return first
    }

    /// Nodes of unknown type that seem to be outputs: the reference says so, or they take links and nobody takes theirs.
    private func possibleOutputs() -> [Int] {
        guard options.targets == nil, definitions.contains(where: { $0 == nil }) else { return [] }
        var isUsed: Set<Int> = []
        for node in prompt.nodes.values {
            for case .link(let link) in node.inputs.values {
                if let source = prompt.nodes.index(forKey: link.node) { isUsed.insert(source) }
            }
        }
        return ids.indices.filter { position in
            guard definitions[position] == nil else { return false }
            let node = prompt.nodes.values[position]
            if let known = ReferenceNodes.schema(node.classType) { return known.isOutput }
            return !isUsed.contains(position) && node.inputs.values.contains { $0.link != nil }
        }
    }

    private func missingParts(needed: [Int]) -> MissingParts {
        var finder = MissingPartsFinder(
            registry: registry, lists: check.lists, files: check.files, hints: options.hints)
        let isNeeded = Set(needed)
        for (position, (id, node)) in prompt.nodes.enumerated() {
            finder.add(id, node, isNeeded: isNeeded.contains(position))
        }
        for mention in options.hints.unnamed {
            if let position = prompt.nodes.index(forKey: mention.node), isNeeded.contains(position) {
                finder.add(mention)
            }
        }
        return finder.parts
    }

    private mutating func unknownClass(_ id: String, _ node: PromptNode) -> PromptFault {
        let details = "Node ID '#\(id)'"
        if node.classType.isEmpty {
            return PromptFault(
                .invalidPrompt, "Cannot execute because a node is missing the class_type property.", details: details)
        }
        let extra: JSONObject = [
            "node_id": .string(id), "class_type": .string(node.classType),
            "node_title": .string(node.title ?? node.classType),
        ]
        let origin: String? =
            if let pack = PackNames.pack(of: node.classType) {
                "a node type of this program; \(node.classType) belongs to the pack \(pack)"
            } else if ReferenceNodes.schema(node.classType) != nil {
                "a node type of this program; \(node.classType) is one of ComfyUI's own that it does not have yet"
            } else {
                nil
            }
        return PromptFault(
            .missingNodeType, "Cannot execute because node \(node.classType) does not exist.", details: details,
            extraInfo: extra, found: "node type \(node.classType)", allowed: origin,
            nearest: nearestType(node.classType))
    }

    /// A name is compared with all others, so only the first few hundred are.
    private mutating func nearestType(_ name: String) -> String? {
        if let known = nearestTypes[name] { return known }
        guard nearestTypes.count < 500 else { return nil }
        let found = NearestName.find(name, among: registry.definitions.lazy.map(\.schema.id))
        nearestTypes[name] = .some(found)
        return found
    }

    // MARK: Inputs

    /// Checks every node that `roots` need; the order has sources before their consumers.
    private mutating func checkReachable(from roots: [Int]) -> [Int] {
        enum Colour { case new, open, done }
        var colour = Array(repeating: Colour.new, count: ids.count)
        var order: [Int] = []
        for root in roots where colour[root] == .new {
            var path: [(node: Int, next: Int)] = [(root, 0)]
            colour[root] = .open
            checkInputs(of: root)
            while let (node, next) = path.last {
                guard next < sources[node].count else {
                    colour[node] = .done
                    order.append(node)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let source = sources[node][next]
                switch colour[source] {
                case .new:
                    colour[source] = .open
                    checkInputs(of: source)
                    path.append((source, 0))
                case .open:
                    reportCycle(path.map(\.node), closedAt: source)
                case .done: break
                }
            }
        }
        return order
    }

    private mutating func checkInputs(of position: Int) {
        let given = prompt.nodes.values[position].inputs
        guard let definition = definitions[position] else {
            // What an unknown node is linked to is looked at, so that everything that is missing is told at once.
            for case .link(let link) in given.values {
                if let source = prompt.nodes.index(forKey: link.node) { sources[position].append(source) }
            }
            return
        }
        for input in definition.schema.inputs {
            guard let value = given[input.name] else {
                if !input.isOptional { add(missing(input), to: position) }
                continue
            }
            do throws(PromptFault) {
                switch value {
                case .literal(let literal):
                    // An optional socket that the front end left empty.
                    if literal.isNull && input.isOptional && !input.takesLiterals { continue }
                    let converted = try check.convert(
                        literal, for: input,
                        leavesRangesToNode: definition.validator?.checks.covers(input.name) ?? false)
                    if converted != literal { prompt.nodes.values[position].inputs[input.name] = .literal(converted) }
                case .link(let link):
                    sources[position].append(
                        try checkLink(
                            link, input, leavesTypesToNode: definition.validator?.checks.linkTypes ?? false))
                case .malformedLink(let items):
                    throw check.badLink(.array(items), input)
                }
            } catch {
                add(error, to: position)
            }
        }
        guard definition.schema.takesUndeclared else { return }
        for (name, value) in given where definition.schema.input(named: name) == nil {
            guard case .link(let link) = value else { continue }
            do throws(PromptFault) {
                let any = InputSchema(name: name, kind: .type("*"), isOptional: true)
                sources[position].append(try checkLink(link, any, leavesTypesToNode: true))
            } catch {
                add(error, to: position)
            }
        }
    }

    /// - Returns: the position of the node that the link comes from.
    private func checkLink(
        _ link: PromptLink, _ input: InputSchema, leavesTypesToNode: Bool
    ) throws(PromptFault) -> Int {
        let (source, slot) = (link.node, link.slot)
        let received = PromptValue.link(link).json
        guard let position = prompt.nodes.index(forKey: source) else {
            throw check.badLink(
                received, input, found: "a link to node \(source), which does not exist", allowed: "the id of a node")
        }
        // The fault of an unknown class stands at that node.
        guard let definition = definitions[position] else { return position }
        let outputs = definition.schema.outputs
        guard outputs.indices.contains(slot) else {
            let names = outputs.enumerated().map { "\($0) (\($1.name))" }.joined(separator: ", ")
            throw check.badLink(
                received, input, found: "output \(slot) of node \(source) (\(definition.schema.id))",
                allowed: outputs.isEmpty ? "that node has no outputs" : names)
        }
        let type = outputs[slot].type
        guard leavesTypesToNode || typesMatch(received: type, accepted: input.linkType) else {
            throw mismatch(received, type, outputs[slot].name, definition.schema.id, input)
        }
        return position
    }

    /// Lets a node judge its constants, unless they are known to be wrong.
    private mutating func askNode(_ position: Int, isOutput: Bool) async {
        guard let definition = definitions[position], let validator = definition.validator, faults[position] == nil
        else { return }
        var constants: [String: [any NodeValue]] = [:]
        var types: [String: String] = [:]
        var passed: [String] = []
        let given = prompt.nodes.values[position].inputs
        for input in definition.schema.inputs {
            guard let value = given[input.name] else { continue }
            if validator.checks.covers(input.name) { passed.append(input.name) }
            switch value {
            case .literal(let json):
                if validator.checks.covers(input.name) { constants[input.name] = [json.nodeValue] }
            case .link(let link): types[input.name] = outputType(of: link)
            case .malformedLink: break
            }
        }
        do {
            guard let reason = try await validator.validate(constants, received: types, check.files) else { return }
            for name in passed.isEmpty ? [""] : passed { add(rejected(name, reason), to: position) }
        } catch {
            add(exception(error, isOutput: isOutput), to: position)
        }
    }

    private func outputType(of link: PromptLink) -> String? {
        guard let source = prompt.nodes.index(forKey: link.node), let outputs = definitions[source]?.schema.outputs,
            outputs.indices.contains(link.slot)
        else { return nil }
        return outputs[link.slot].type
    }

    private mutating func add(_ fault: PromptFault, to position: Int) { faults[position, default: []].append(fault) }

    // MARK: Faults

    private func missing(_ input: InputSchema) -> PromptFault {
        let range = input.rangeText.map { ", \($0)" } ?? ""
        return PromptFault(
            .requiredInputMissing, "Required input is missing", details: input.name,
            extraInfo: ["input_name": .string(input.name)], input: input.name, found: "nothing",
            allowed: input.takesLiterals
                ? "a value or link of type \(input.linkType)\(range)"
                : "a link to an output of type \(input.linkType)")
    }

    private func mismatch(
        _ link: JSON, _ type: String, _ output: String, _ source: String, _ input: InputSchema
    ) -> PromptFault {
        let configuration = check.configuration(input)
        let wanted: String =
            if case .choice = input.kind { configuration[0].map(pythonText) ?? "COMBO" } else { input.linkType }
        return PromptFault(
            .typeMismatch, "Return type mismatch between linked nodes",
            details: "\(input.name), received_type(\(type)) mismatch input_type(\(shortened(wanted, to: 1000)))",
            extraInfo: [
                "input_name": .string(input.name), "input_config": configuration, "received_type": .string(type),
                "linked_node": link,
            ], input: input.name, found: "a link to output \(output) of \(source), type \(type)",
            allowed: "type \(input.linkType)")
    }

    private func rejected(_ name: String, _ reason: String) -> PromptFault {
        PromptFault(
            .customValidation, "Custom validation failed for node",
            details: reason.isEmpty ? name : "\(name) - \(reason)", extraInfo: ["input_name": .string(name)],
            input: name.isEmpty ? nil : name, allowed: reason)
    }

    private func exception(_ error: any Error, isOutput: Bool) -> PromptFault {
        let text = String(describing: error)
        return PromptFault(
            isOutput ? .exception : .innerException,
            isOutput ? "Exception when validating node" : "Exception when validating inner node", details: text,
            extraInfo: [
                "exception_message": .string(text), "exception_type": .string(String(describing: type(of: error))),
                "traceback": .array([]),
            ], found: text)
    }

    /// One fault on the node whose link closes the circle.
    private mutating func reportCycle(_ path: [Int], closedAt start: Int) {
        guard let begin = path.lastIndex(of: start), let last = path.last else { return }
        // From a node to the one that needs it: against the direction of the walk.
        let circle = [start] + path[begin...].reversed()
        let limit = 50
        func name(_ position: Int) -> String {
            "\(ids[position]) (\(prompt.nodes.values[position].classType))"
        }
        var text = circle.prefix(limit).map(name).joined(separator: " -> ")
        if circle.count > limit { text += " -> … -> \(name(start))" }
        add(
            PromptFault(
                .dependencyCycle, "Dependency cycle detected", details: text,
                extraInfo: [
                    "node_id": .string(ids[last]),
                    "cycle_nodes": .array(circle.dropLast().prefix(1000).map { .string(ids[$0]) }),
                ], found: text, allowed: "links without a circle"), to: last)
    }

    private func outputsFailed(_ roots: [Int]) -> PromptFault {
        let own = roots.flatMap { faults[$0] ?? [] }.map { "\($0.message): \($0.details)" }
        return PromptFault(
            .outputsFailed, "Prompt outputs failed validation", details: own.joined(separator: "\n"))
    }

    // MARK: Results

    private func nodeReports(failing roots: [Int]) -> [ValidationReport.NodeReport] {
        let dependents = dependentOutputs(of: faults.keys.sorted(), failing: roots)
        return faults.keys.sorted().map { position in
            let node = prompt.nodes.values[position]
            return ValidationReport.NodeReport(
                id: ids[position], classType: node.classType,
                title: node.title ?? definitions[position]?.schema.displayName ?? node.classType,
                faults: faults[position] ?? [],
                dependentOutputs: (dependents[position] ?? []).map { ids[$0] })
        }
    }

    /// For every faulty node the outputs that need it.
    private func dependentOutputs(of faulty: [Int], failing roots: [Int]) -> [Int: [Int]] {
        var consumers: [[Int]] = Array(repeating: [], count: ids.count)
        for (node, incoming) in sources.enumerated() {
            for source in incoming { consumers[source].append(node) }
        }
        let isRoot = Set(roots)
        var result: [Int: [Int]] = [:]
        // Large prompts with faults everywhere: what has been found when the budget ends is reported.
        var budget = 20_000_000
        for start in faulty where budget > 0 {
            var seen: Set<Int> = [start]
            var stack = [start]
            var found: [Int] = []
            while let node = stack.popLast(), budget > 0 {
                if isRoot.contains(node) { found.append(node) }
                budget -= 1 + consumers[node].count
                for consumer in consumers[node] where seen.insert(consumer).inserted { stack.append(consumer) }
            }
            result[start] = found.sorted()
        }
        return result
    }

    /// The graph of the nodes that the sound outputs need.
    private func assemble(_ roots: [Int], _ order: [Int]) -> ValidatedPrompt {
        var needed: Set<Int> = Set(roots)
        for node in order.reversed() where needed.contains(node) {
            needed.formUnion(sources[node])
        }
        let positions = needed.sorted()
        let place = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
        var graph = Graph()
        graph.nodes.reserveCapacity(positions.count)
        for position in positions {
            guard let definition = definitions[position] else { continue }
            let node = prompt.nodes.values[position]
            graph.nodes.append(
                Graph.Node(
                    id: ids[position], title: node.title ?? definition.schema.displayName, definition: definition,
                    inputs: graphInputs(of: node, definition.schema, place),
                    undeclared: Self.undeclared(node, definition.schema)))
        }
        graph.order = order.compactMap { place[$0] }
        return ValidatedPrompt(
            prompt: prompt, outputs: roots.map { ids[$0] }, graph: graph, roots: roots.compactMap { place[$0] })
    }

    private static func undeclared(_ node: PromptNode, _ schema: NodeSchema) -> [(name: String, value: JSON)] {
        node.inputs.compactMap { name, value in
            guard case .literal(let json) = value, schema.input(named: name) == nil else { return nil }
            return (name, json)
        }
    }

    /// The inputs that the prompt gives and the node takes; `place` maps positions in the prompt to those in the graph.
    private func graphInputs(of node: PromptNode, _ schema: NodeSchema, _ place: [Int: Int]) -> [Graph.Input] {
        var inputs: [Graph.Input] = []
        let declared = Dictionary(uniqueKeysWithValues: schema.inputs.map { ($0.name, $0) })
        for (name, value) in node.inputs {
            let input = declared[name]
            var files: Choices?
            if case .choice(let choices)? = input?.kind, choices.areFiles { files = choices }
            switch value {
            case .literal(let json):
                guard let input, !(json.isNull && input.isOptional && !input.takesLiterals) else { continue }
                inputs.append(Graph.Input(name: name, value: .constant(json), files: files))
            case .link(let link):
                guard input != nil || schema.takesUndeclared,
                    let from = prompt.nodes.index(forKey: link.node).flatMap({ place[$0] })
                else { continue }
                let value: Graph.Value =
                    input?.isRawLink == true
                    ? .rawLink(GraphLink(node: link.node, slot: link.slot), node: from)
                    : .link(node: from, slot: link.slot)
                inputs.append(Graph.Input(name: name, value: value, files: files, isLazy: input?.isLazy == true))
            case .malformedLink: continue
            }
        }
        return inputs
    }
}

extension Choices {
    /// Whether the entries are files, whose content may change under the same name.
    var areFiles: Bool {
        switch self {
        case .fixed: false
        case .files, .inputImages: true
        }
    }
}
