public import JSON
import OrderedCollections

extension Prompt {
    /// Reads a graph: an object from node id to `{class_type, inputs, _meta}`.
    ///
    /// Further keys of a node, such as the `is_changed` of old image metadata, are ignored; `inputs` may be absent.
    /// - Parameter path: where in a file the value stands, for messages.
    /// - Throws: ``WorkflowError`` naming the first part of another kind.
    public init(_ json: JSON, at path: String = "") throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "an object from node id to node")
        }
        nodes = OrderedDictionary(minimumCapacity: members.count)
        for (id, value) in members {
            let place = path.isEmpty ? "node \"\(id.shortened)\"" : "\(path), node \"\(id.shortened)\""
            let node = try PromptNode(value, at: place)
            guard nodes.updateValue(node, forKey: id) == nil else {
                throw WorkflowError(
                    .malformed, at: place,
                    "another node's id differs from this one only in how its letters are composed")
            }
        }
    }

    /// The graph as the reference writes it.
    public var json: JSON {
        var members = JSONObject()
        for (id, node) in nodes { members[id] = node.json }
        return .object(members)
    }

    /// The text of the `prompt` chunk in pictures.
    public var metadataText: String { json.text(.python) }
}

extension PromptNode {
    init(_ json: JSON, at path: String) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "an object with class_type and inputs")
        }
        guard let type = members["class_type"] else {
            throw WorkflowError(
                .malformed, at: path, "the node has no class_type",
                advice: "every node needs class_type, the name of its node type")
        }
        guard case .string(let classType) = type else {
            throw .wrongKind(at: "\(path).class_type", type.kind, expected: "the name of a node type")
        }
        self.classType = classType
        title = members["_meta"]?["title"]?.stringValue
        inputs = [:]
        switch members["inputs"] {
        case nil, .null?: break
        case .object(let given)?:
            inputs.reserveCapacity(given.count)
            for (name, value) in given { inputs[name] = PromptValue(value) }
        case .some(let other): throw .wrongKind(at: "\(path).inputs", other.kind, expected: "an object")
        }
    }

    /// `{inputs, class_type, _meta}`.
    var json: JSON {
        var given = JSONObject()
        for (name, value) in inputs { given[name] = value.json }
        var members: JSONObject = ["inputs": .object(given), "class_type": .string(classType)]
        if let title { members["_meta"] = .object(["title": .string(title)]) }
        return .object(members)
    }
}

extension PromptValue {
    /// The value of an input as it stands in a file: an array is a link unless it is wrapped in `__value__`.
    public init(_ json: JSON) {
        switch json {
        case .array(let items):
            if items.count == 2, case .string(let node) = items[0], let slot = items[1].intValue {
                self = .link(PromptLink(node: node, slot: slot))
            } else {
                self = .malformedLink(items)
            }
        case .object(let members):
            self = .literal(members.count == 1 ? members["__value__"] ?? json : json)
        default: self = .literal(json)
        }
    }

    /// The value as it stands in a file.
    public var json: JSON {
        switch self {
        case .literal(let value):
            if case .array = value { .object(["__value__": value]) } else { value }
        case .link(let link): .array([.string(link.node), .int(Int64(link.slot))])
        case .malformedLink(let items): .array(items)
        }
    }
}

extension String {
    /// The text for a message: long ones lose their middle, control characters their effect.
    var shortened: String {
        let limit = 60
        var out = ""
        for (index, scalar) in unicodeScalars.enumerated() {
            if index == limit { return out + "…" }
            out.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
        return out
    }
}
