public import JSON

/// A graph in API form: nodes in the order of the file.
public struct Prompt: Sendable {
    /// What stands behind an input's name.
    public enum Value: Sendable, Hashable {
        case literal(JSON)
        case link(node: String, slot: Int)
    }

    public struct Node: Sendable {
        public var id: String
        public var classType: String
        public var title: String?
        public var inputs: [(name: String, value: Value)]

        public init(id: String, classType: String, title: String? = nil, inputs: [(name: String, value: Value)] = []) {
            self.id = id
            self.classType = classType
            self.title = title
            self.inputs = inputs
        }
    }

    public var nodes: [Node]
    public init(nodes: [Node] = []) { self.nodes = nodes }
}

extension Prompt {
    public var json: JSON {
        var object = JSONObject()
        for node in nodes {
            var inputs = JSONObject()
            for input in node.inputs {
                switch input.value {
                case .literal(let json): inputs[input.name] = json
                case .link(let source, let slot): inputs[input.name] = .array([.string(source), .int(Int64(slot))])
                }
            }
            object[node.id] = .object(["class_type": .string(node.classType), "inputs": .object(inputs)])
        }
        return .object(object)
    }
}
