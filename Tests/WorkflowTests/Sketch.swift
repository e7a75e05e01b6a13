import JSON
import NodeKit
import OrderedCollections

@testable import Workflow

/// Builds small files in front-end format.
struct Sketch {
    private var nodes: [JSON] = []
    private var links: [JSON] = []
    var linksAreObjects = false
    /// Further members of the file, as JSON text.
    var members: [String: String] = [:]

    init() {}

    /// Adds a node.
    ///
    /// - Parameters:
    ///   - inputs: slots such as "model:MODEL=1": name, type, and the link's id if there is one; "seed:INT*" has a
    ///     widget marker.
    ///   - outputs: types.
    ///   - values: `widgets_values` as JSON text.
    ///   - members: further members of the node as JSON text.
    mutating func node(
        _ id: Int, _ type: String, _ inputs: [String] = [], _ outputs: [String] = [], values: String? = nil,
        mode: Int = 0, members: [String: String] = [:]
    ) {
        var node: JSONObject = ["id": .int(Int64(id)), "type": .string(type), "mode": .int(Int64(mode))]
        node["inputs"] = .array(inputs.map(Self.slot))
        node["outputs"] = .array(outputs.map { .object(["name": .string($0), "type": .string($0)]) })
        if let values { node["widgets_values"] = Self.json(values) }
        for (key, text) in members { node[key] = Self.json(text) }
        nodes.append(.object(node))
    }

    /// Adds a link.
    mutating func link(_ id: Int, _ origin: Int, _ originSlot: Int, _ target: Int, _ slot: Int, _ type: String = "*") {
        if linksAreObjects {
            let parts = [
                "id": id, "origin_id": origin, "origin_slot": originSlot, "target_id": target, "target_slot": slot,
            ]
            var link: JSONObject = ["type": .string(type)]
            for (key, value) in parts { link[key] = .int(Int64(value)) }
            links.append(.object(link))
        } else {
            links.append(
                .array([id, origin, originSlot, target, slot].map { .int(Int64($0)) } + [.string(type)]))
        }
    }

    var json: JSON {
        var file: JSONObject = ["nodes": .array(nodes), "links": .array(links)]
        for (key, text) in members { file[key] = Self.json(text) }
        return .object(file)
    }

    func conversion(
        _ schemas: [NodeSchema] = [], options: ConversionOptions = ConversionOptions()
    ) throws -> Conversion {
        let known = Dictionary(uniqueKeysWithValues: schemas.map { ($0.id, $0) })
        return try WorkflowFile(json).conversion(schemas: { known[$0] }, options: options)
    }

    func prompt(_ schemas: [NodeSchema] = []) throws -> Prompt { try conversion(schemas).prompt }

    private static func slot(_ text: String) -> JSON {
        let parts = text.split(separator: "=").map(String.init)
        let isMarked = parts[0].hasSuffix("*") && !parts[0].hasSuffix(":*")
        let names = (isMarked ? String(parts[0].dropLast()) : parts[0]).split(separator: ":").map(String.init)
        var slot: JSONObject = ["name": .string(names[0]), "type": .string(names.count > 1 ? names[1] : "*")]
        slot["link"] = parts.count > 1 ? (Int64(parts[1]).map { .int($0) } ?? .null) : .null
        if isMarked { slot["widget"] = .object(["name": .string(names[0])]) }
        return .object(slot)
    }

    static func json(_ text: String) -> JSON { (try? JSON(parsing: text)) ?? .string("not JSON: \(text)") }
}

extension Prompt {
    /// The inputs of a node as text: `name=value` or `name=node[slot]`, in order.
    func inputs(_ id: String) -> String {
        guard let node = nodes[id] else { return "no node \(id)" }
        return node.inputs.map { name, value in
            switch value {
            case .link(let link): "\(name)=\(link)"
            case .literal(let json): "\(name)=\(json.text(.compact))"
            case .malformedLink: "\(name)=malformed"
            }
        }.joined(separator: " ")
    }

    /// What an input is given, as text.
    func value(_ id: String, _ input: String) -> String {
        switch nodes[id]?.inputs[input] {
        case nil: "nothing"
        case .link(let link)?: "\(link)"
        case .literal(let json)?: json.text(.compact)
        case .malformedLink?: "malformed"
        }
    }
}

extension NodeSchema {
    /// A schema for tests: inputs as "name:TYPE", "name:TYPE!" for forced ones, "name:a,b" in `choices`.
    static func test(
        _ id: String, _ inputs: [String], options: [String: JSONObject] = [:], outputs: [String] = []
    ) -> NodeSchema {
        NodeSchema(
            id: id, displayName: id, category: "test",
            inputs: inputs.map { text in
                let parts = text.split(separator: ":").map(String.init)
                var members = options[parts[0]] ?? JSONObject()
                var type = parts[1]
                if type.hasSuffix("!") {
                    type.removeLast()
                    members["forceInput"] = .bool(true)
                }
                let isChoice = type.contains("/")
                return InputSchema(
                    name: parts[0],
                    kind: isChoice ? .choice(.fixed(type.split(separator: "/").map(String.init))) : .type(type),
                    options: members)
            }, outputs: outputs.map { OutputSchema(name: $0, type: $0) })
    }
}
