import JSON
public import NodeKit
import OrderedCollections

extension Prompt {
    /// An input that an override has set.
    public struct Override: Sendable, Hashable {
        public var node: String
        public var input: String
        /// What stood there before; `nil` where the input was absent.
        public var previous: PromptValue?
        public var value: PromptValue
    }

    /// Applies `NODE.INPUT=VALUE`.
    ///
    /// NODE is a node id, else a title, else a node type that occurs once. VALUE is JSON if it parses as JSON, else
    /// text; an input that takes text keeps everything but a JSON string as it is written. `["4", 0]` makes a link.
    /// - Parameter schemas: node types, to allow inputs that the file leaves out; may know none.
    /// - Throws: ``WorkflowError`` (`override`) with the nearest name when the node or the input does not exist, and
    ///   with all ids when a title is ambiguous.
    public mutating func set(_ assignment: String, schemas: (String) -> NodeSchema?) throws(WorkflowError) -> Override {
        guard let equals = assignment.firstIndex(of: "=") else {
            throw WorkflowError(
                .override, "\"\(assignment.shortened)\" sets nothing", advice: "write NODE.INPUT=VALUE")
        }
        let (node, input) = try target(String(assignment[..<equals]), schemas)
        let schema = schemas(nodes[node]?.classType ?? "")?.input(named: input)
        let value = Self.value(of: String(assignment[assignment.index(after: equals)...]), for: schema)
        let previous = nodes[node]?.inputs.updateValue(value, forKey: input)
        return Override(node: node, input: input, previous: previous, value: value)
    }

    /// Gives every constant input called `seed` or `noise_seed` this value.
    ///
    /// - Returns: what was set; empty when the graph has no seed or takes them all from links.
    public mutating func setSeeds(_ seed: UInt64) -> [Override] {
        let value = PromptValue.literal(Int64(exactly: seed).map { .int($0) } ?? .uint(seed))
        var changed: [Override] = []
        for (id, node) in nodes {
            for (name, previous) in node.inputs where name == "seed" || name == "noise_seed" {
                guard case .literal(let old) = previous, old.doubleValue != nil else { continue }
                nodes[id]?.inputs[name] = value
                changed.append(Override(node: id, input: name, previous: previous, value: value))
            }
        }
        return changed
    }

    /// Splits "NODE.INPUT". Ids, titles and inputs may all contain dots, so every dot is tried.
    private func target(_ text: String, _ schemas: (String) -> NodeSchema?) throws(WorkflowError) -> (String, String) {
        var fault: WorkflowError?
        for dot in text.indices.reversed() where text[dot] == "." {
            let name = String(text[..<dot])
            let input = String(text[text.index(after: dot)...])
            let matches = ids(of: name)
            guard let id = matches.first, let node = nodes[id] else { continue }
            guard matches.count == 1 else {
                fault = WorkflowError(
                    .override, "\"\(name.shortened)\" is the name of \(matches.count) nodes",
                    advice: "use one of the ids: \(matches.prefix(20).joined(separator: ", "))")
                continue
            }
            let known = Array(node.inputs.keys) + (schemas(node.classType)?.inputs.map(\.name) ?? [])
            if known.contains(input) { return (id, input) }
            let names = node.inputs.keys.prefix(40).joined(separator: ", ")
            fault =
                fault
                ?? WorkflowError(
                    .override,
                    "node \(id) (\(node.classType)) has no input \"\(input.shortened)\""
                        + NearestName.hint(input, among: known),
                    advice: names.isEmpty ? "the node has no inputs" : "its inputs are \(names)")
        }
        if let fault { throw fault }
        guard let dot = text.lastIndex(of: ".") else {
            throw WorkflowError(
                .override, "\"\(text.shortened)\" names no input", advice: "write NODE.INPUT=VALUE, such as 3.steps=8")
        }
        let name = String(text[..<dot])
        let names = Array(nodes.keys) + nodes.values.compactMap(\.title) + nodes.values.map(\.classType)
        throw WorkflowError(
            .override, "there is no node \"\(name.shortened)\"" + NearestName.hint(name, among: names),
            advice: "name a node by its id or title")
    }

    /// The nodes that a name means: the one with this id, else those with this title, else those of this type.
    private func ids(of name: String) -> [String] {
        if nodes[name] != nil { return [name] }
        let titled = nodes.filter { $0.value.title == name }.keys
        if !titled.isEmpty { return Array(titled) }
        let folded = name.lowercased()
        let similar = nodes.filter { $0.value.title?.lowercased() == folded }.keys
        if !similar.isEmpty { return Array(similar) }
        return Array(nodes.filter { $0.value.classType == name }.keys)
    }

    private static func value(of text: String, for schema: InputSchema?) -> PromptValue {
        guard let json = try? JSON(parsing: text) else { return .literal(.string(text)) }
        let takesText: Bool =
            switch schema?.kind {
            case .type("STRING"), .choice: true
            default: false
            }
        if takesText, json.stringValue == nil, json.arrayValue == nil { return .literal(.string(text)) }
        return PromptValue(json)
    }
}
