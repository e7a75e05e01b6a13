import JSON

extension GraphFile {
    /// Reads a file in front-end format.
    ///
    /// - Throws: ``WorkflowError`` naming the first part of the wrong kind.
    init(_ json: JSON, at path: String = "") throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "an object with nodes and links")
        }
        let prefix = path.isEmpty ? "" : path + "."
        root = try Graph(members, at: prefix)
        subgraphs = [:]
        if case .array(let definitions)? = members["definitions"]?["subgraphs"] {
            for (index, definition) in definitions.enumerated() {
                let read = try SubgraphDefinition(definition, at: "\(prefix)definitions.subgraphs[\(index)]")
                subgraphs[read.id] = read
            }
        }
        groupNodes = members["extra"]?["groupNodes"]?.objectValue ?? JSONObject()
    }
}

extension Graph {
    init(_ members: JSONObject, at prefix: String) throws(WorkflowError) {
        guard case .array(let list)? = members["nodes"] else {
            throw .wrongKind(at: "\(prefix)nodes", members["nodes"]?.kind, expected: "an array of nodes")
        }
        for (index, item) in list.enumerated() { add(try GraphNode(item, at: "\(prefix)nodes[\(index)]")) }
        switch members["links"] {
        case nil, .null?: break
        case .array(let list)?:
            links.reserveCapacity(list.count)
            // Deleted links leave nulls, and broken ones connect nothing.
            for item in list {
                if let link = GraphLink(item) { links[link.id] = link }
            }
        case .some(let other): throw .wrongKind(at: "\(prefix)links", other.kind, expected: "an array of links")
        }
        extra = members["extra"]?.objectValue ?? JSONObject()
        for item in members["groups"]?.arrayValue ?? [] {
            let bounds = (item["bounding"]?.arrayValue ?? []).compactMap(\.doubleValue)
            if bounds.count == 4 { boxes.append(GraphBox(title: item["title"]?.stringValue ?? "", bounds: bounds)) }
        }
    }
}

extension GraphNode {
    /// - Parameter defaultID: the id of a node inside a group-node definition, where it has none of its own.
    init(_ json: JSON, at path: String, defaultID: String? = nil) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "an object with id and type")
        }
        guard let id = defaultID ?? members["id"]?.identifier else {
            throw .wrongKind(at: "\(path).id", members["id"]?.kind, expected: "a number or a text")
        }
        guard case .string(let type)? = members["type"] else {
            throw .wrongKind(at: "\(path).type", members["type"]?.kind, expected: "the name of a node type")
        }
        self.id = id
        self.type = type
        title = members["title"]?.stringValue
        mode =
            switch members["mode"]?.intValue {
            case 2: .muted
            case 4: .bypassed
            default: .active
            }
        inputs = []
        outputs = []
        for (index, item) in try members.inputs(at: path).enumerated() {
            inputs.append(try GraphInput(item, at: "\(path).inputs[\(index)]"))
        }
        for item in try members.list("outputs", at: path) {
            outputs.append(GraphOutput(name: item["name"]?.stringValue ?? "", type: item["type"]?.slotType ?? "*"))
        }
        values = members["widgets_values"] ?? .null
        namedValues = members["widgets_values_named"]?.objectValue ?? JSONObject()
        properties = members["properties"]?.objectValue ?? JSONObject()
        drawing = JSONObject()
        for key in ["pos", "size", "color", "bgcolor"] { drawing[key] = members[key] }
    }
}

extension GraphInput {
    init(_ json: JSON, at path: String) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "an object with name and link")
        }
        widget = members["widget"]?["name"]?.stringValue
        name = members["name"]?.stringValue ?? widget ?? ""
        type = members["type"]?.slotType ?? "*"
        link = members["link"]?.identifier
    }
}

extension GraphLink {
    /// A link as an array or as an object; `nil` for anything else.
    init?(_ json: JSON) {
        switch json {
        case .array(let parts):
            guard parts.count >= 5, let id = parts[0].identifier, let origin = parts[1].identifier,
                let originSlot = parts[2].intValue, let target = parts[3].identifier
            else { return nil }
            self.init(
                id: id, origin: origin, originSlot: originSlot, target: target, targetSlot: parts[4].intValue ?? -1,
                type: parts.count > 5 ? parts[5].slotType ?? "*" : "*")
        case .object(let members):
            guard let id = members["id"]?.identifier, let origin = members["origin_id"]?.identifier,
                let originSlot = members["origin_slot"]?.intValue, let target = members["target_id"]?.identifier
            else { return nil }
            self.init(
                id: id, origin: origin, originSlot: originSlot, target: target,
                targetSlot: members["target_slot"]?.intValue ?? -1, type: members["type"]?.slotType ?? "*")
        default: return nil
        }
    }
}

extension SubgraphDefinition {
    init(_ json: JSON, at path: String) throws(WorkflowError) {
        guard case .object(let members) = json else {
            throw .wrongKind(at: path, json.kind, expected: "a sub-graph definition (an object)")
        }
        guard let id = members["id"]?.identifier else {
            throw .wrongKind(at: "\(path).id", members["id"]?.kind, expected: "the definition's id")
        }
        self.id = id
        name = members["name"]?.stringValue ?? id
        graph = try Graph(members, at: "\(path).")
        inputs = try members.inputs(at: path).map(Slot.init)
        outputs = try members.list("outputs", at: path).map(Slot.init)
        // Usually a definition lists the links of its outputs; else they are told by where they end.
        let links = graph.links
        var ending: [Int: GraphLink] = [:]
        for link in links.values where link.target == Self.outputNode {
            if let other = ending[link.targetSlot], other.id <= link.id { continue }
            ending[link.targetSlot] = link
        }
        outputLinks = outputs.enumerated().map { index, slot in
            slot.links.lazy.compactMap { links[$0] }.first ?? ending[index]
        }
    }
}

extension SubgraphDefinition.Slot {
    init(_ json: JSON) {
        name = json["name"]?.stringValue ?? ""
        type = json["type"]?.slotType ?? "*"
        links = (json["linkIds"]?.arrayValue ?? []).compactMap(\.identifier)
    }
}

extension JSONObject {
    /// The input slots of a node or definition.
    func inputs(at path: String) throws(WorkflowError) -> [JSON] {
        let items = try list("inputs", at: path)
        guard items.count <= GraphNode.maximumInputs else {
            throw WorkflowError(
                .malformed, at: "\(path).inputs",
                "found \(items.count) inputs, expected at most \(GraphNode.maximumInputs)")
        }
        return items
    }

    /// A member that must be an array if it is there.
    func list(_ key: String, at path: String) throws(WorkflowError) -> [JSON] {
        switch self[key] {
        case nil, .null?: return []
        case .array(let items)?: return items
        case .some(let other): throw .wrongKind(at: "\(path).\(key)", other.kind, expected: "an array")
        }
    }
}

extension JSON {
    /// A node or link id as text: ids are whole numbers or texts.
    var identifier: String? {
        switch self {
        case .string(let text): text
        case .int(let number): String(number)
        case .uint(let number): String(number)
        case .double: intValue.map(String.init)
        default: nil
        }
    }

    /// The type of a slot: a text, 0 or -1, or, for combos in old files, the list of choices.
    var slotType: String? {
        switch self {
        case .string(let text): text
        case .array: "COMBO"
        case .null: nil
        default: identifier
        }
    }
}
