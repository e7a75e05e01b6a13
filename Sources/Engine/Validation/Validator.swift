import JSON
import NodeKit
import Workflow

/// One validation of a whole prompt (engine-semantics.md §3): everything that is wrong is found, nothing is loaded.
///
/// All walks over the graph use explicit stacks: a prompt may be a chain of a million nodes.
struct Validator {
    private let registry: NodeRegistry
    private let check: InputCheck
    private var prompt: Prompt
    private var index: [String: Int] = [:]
    private var faults: [Int: [PromptFault]] = [:]
    /// The definitions of the nodes, where known.
    private var definitions: [NodeDefinition?] = []
    /// Links of declared inputs.
    private var links: [[Link]] = []

    private struct Link {
        var input: Int
        var source: Int
    }

    init(_ prompt: Prompt, registry: NodeRegistry, files: any NodeFiles) {
        self.prompt = prompt
        self.registry = registry
        check = InputCheck(lists: ChoiceLists(files), files: files)
    }

    /// - Parameter targets: ids of the outputs to run; `nil` means all.
    consuming func run(targets: Set<String>?) -> ValidationReport {
        var top = checkClasses()
        let roots = prompt.nodes.indices.filter { position in
            guard definitions[position]?.schema.isOutput == true else { return false }
            return targets?.contains(prompt.nodes[position].id) ?? true
        }
        if top == nil && roots.isEmpty {
            top = PromptFault(.promptHasNoOutputs, "Prompt has no outputs", details: "", allowed: noOutputsAdvice)
        }
        links = Array(repeating: [], count: prompt.nodes.count)
        let order = checkReachable(from: roots)
        var isSound = Array(repeating: false, count: prompt.nodes.count)
        for node in order {
            isSound[node] = faults[node] == nil && links[node].allSatisfy { isSound[$0.source] }
        }
        let sound = roots.filter { isSound[$0] }
        if top == nil && sound.isEmpty { top = outputsFailed(roots) }
        let reports = nodeReports(failing: roots.filter { !isSound[$0] })
        guard top == nil else { return ValidationReport(error: top, nodes: reports, validated: nil) }
        return ValidationReport(error: nil, nodes: reports, validated: assemble(sound, order))
    }

    private var noOutputsAdvice: String {
        "at least one output node, such as SaveImage or PreviewImage"
    }

    // MARK: Classes

    /// Looks every node's class up, also of nodes that nothing needs.
    private mutating func checkClasses() -> PromptFault? {
        var first: PromptFault?
        definitions.reserveCapacity(prompt.nodes.count)
        index.reserveCapacity(prompt.nodes.count)
        for (position, node) in prompt.nodes.enumerated() {
            let definition = registry[node.classType]
            definitions.append(definition)
            var fault: PromptFault?
            if index.updateValue(position, forKey: node.id) != nil {
                fault = PromptFault(
                    .invalidPrompt, "Cannot execute because a node id is used twice.",
                    details: "Node ID '#\(node.id)'", found: "a second node with the id \(node.id)")
            } else if definition == nil {
                fault = unknownClass(node)
            }
            guard let fault else { continue }
            faults[position] = [fault]
            if first == nil { first = fault }
        }
        return first
    }

    private func unknownClass(_ node: Prompt.Node) -> PromptFault {
        let details = "Node ID '#\(node.id)'"
        if node.classType.isEmpty {
            return PromptFault(
                .invalidPrompt, "Cannot execute because a node is missing the class_type property.", details: details)
        }
        let extra: JSONObject = [
            "node_id": .string(node.id), "class_type": .string(node.classType),
            "node_title": .string(node.title ?? node.classType),
        ]
        return PromptFault(
            .missingNodeType, "Cannot execute because node \(node.classType) does not exist.", details: details,
            extraInfo: extra, found: "node type \(node.classType)",
            allowed: KnownPacks.pack(of: node.classType).map { "it belongs to the pack \($0), which is not installed" },
            nearest: nearestName(to: node.classType, in: registry.definitions.lazy.map(\.schema.id)))
    }

    // MARK: Inputs

    /// Checks every node that `roots` need; the order has sources before their consumers.
    private mutating func checkReachable(from roots: [Int]) -> [Int] {
        enum Colour { case new, open, done }
        var colour = Array(repeating: Colour.new, count: prompt.nodes.count)
        var order: [Int] = []
        for root in roots where colour[root] == .new {
            var path: [(node: Int, next: Int)] = [(root, 0)]
            colour[root] = .open
            checkInputs(of: root)
            while let (node, next) = path.last {
                guard next < links[node].count else {
                    colour[node] = .done
                    order.append(node)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let source = links[node][next].source
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
        guard let definition = definitions[position] else { return }
        let node = prompt.nodes[position]
        var places: [String: Int] = [:]
        for (place, input) in node.inputs.enumerated() { places[input.name] = place }
        for input in definition.schema.inputs {
            guard let place = places[input.name] else {
                if !input.isOptional { add(missing(input), to: position) }
                continue
            }
            do throws(PromptFault) {
                switch node.inputs[place].value {
                case .literal(let literal):
                    // An optional socket that the front end left empty.
                    if literal.isNull && input.isOptional && !input.takesLiterals { continue }
                    prompt.nodes[position].inputs[place].value = .literal(try check.convert(literal, for: input))
                case .link(let source, let slot):
                    links[position].append(Link(input: place, source: try checkLink(source, slot, input)))
                }
            } catch {
                add(error, to: position)
            }
        }
    }

    private mutating func checkLink(
        _ source: String, _ slot: Int, _ input: InputSchema
    ) throws(PromptFault) -> Int {
        let received = JSON.array([.string(source), .int(Int64(slot))])
        guard let position = index[source] else {
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
        guard typesMatch(received: type, accepted: input.linkType) else {
            throw mismatch(received, type, outputs[slot].name, definition.schema.id, input)
        }
        return position
    }

    private mutating func add(_ fault: PromptFault, to position: Int) { faults[position, default: []].append(fault) }

    // MARK: Faults

    private func missing(_ input: InputSchema) -> PromptFault {
        let range = input.rangeText.map { ", \($0)" } ?? ""
        return PromptFault(
            .requiredInputMissing, "Required input is missing", details: input.name,
            extraInfo: ["input_name": .string(input.name)], input: input.name, found: "nothing",
            allowed: input.takesLiterals ? "a value or link of type \(input.linkType)\(range)"
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

    /// One fault on the node whose link closes the circle.
    private mutating func reportCycle(_ path: [Int], closedAt start: Int) {
        guard let begin = path.lastIndex(of: start), let last = path.last else { return }
        // From a node to the one that needs it: against the direction of the walk.
        let circle = [start] + path[begin...].reversed()
        let limit = 50
        func name(_ position: Int) -> String {
            "\(prompt.nodes[position].id) (\(prompt.nodes[position].classType))"
        }
        var text = circle.prefix(limit).map(name).joined(separator: " -> ")
        if circle.count > limit { text += " -> … -> \(name(start))" }
        add(
            PromptFault(
                .dependencyCycle, "Dependency cycle detected", details: text,
                extraInfo: [
                    "node_id": .string(prompt.nodes[last].id),
                    "cycle_nodes": .array(circle.dropLast().prefix(1000).map { .string(prompt.nodes[$0].id) }),
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
            let node = prompt.nodes[position]
            return ValidationReport.NodeReport(
                id: node.id, classType: node.classType,
                title: node.title ?? definitions[position]?.schema.displayName ?? node.classType,
                faults: faults[position] ?? [],
                dependentOutputs: (dependents[position] ?? []).map { prompt.nodes[$0].id })
        }
    }

    /// For every faulty node the outputs that need it.
    private func dependentOutputs(of faulty: [Int], failing roots: [Int]) -> [Int: [Int]] {
        var consumers: [[Int]] = Array(repeating: [], count: prompt.nodes.count)
        for (node, incoming) in links.enumerated() {
            for link in incoming { consumers[link.source].append(node) }
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
            for link in links[node] { needed.insert(link.source) }
        }
        let positions = needed.sorted()
        let place = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
        var graph = Graph()
        graph.nodes.reserveCapacity(positions.count)
        for position in positions {
            guard let definition = definitions[position] else { continue }
            let schemas = Dictionary(uniqueKeysWithValues: definition.schema.inputs.map { ($0.name, $0) })
            var inputs: [Graph.Input] = []
            for input in prompt.nodes[position].inputs {
                guard let schema = schemas[input.name] else { continue }
                var files: Choices?
                if case .choice(let choices) = schema.kind, choices.areFiles { files = choices }
                switch input.value {
                case .literal(let json):
                    if json.isNull && schema.isOptional && !schema.takesLiterals { continue }
                    inputs.append(Graph.Input(name: input.name, value: .constant(json), files: files))
                case .link(let source, let slot):
                    guard let from = index[source].flatMap({ place[$0] }) else { continue }
                    inputs.append(Graph.Input(name: input.name, value: .link(node: from, slot: slot), files: files))
                }
            }
            graph.nodes.append(
                Graph.Node(
                    id: prompt.nodes[position].id,
                    title: prompt.nodes[position].title ?? definition.schema.displayName, definition: definition,
                    inputs: inputs))
        }
        graph.order = order.compactMap { place[$0] }
        return ValidatedPrompt(
            prompt: prompt, outputs: roots.map { prompt.nodes[$0].id }, graph: graph,
            roots: roots.compactMap { place[$0] })
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
