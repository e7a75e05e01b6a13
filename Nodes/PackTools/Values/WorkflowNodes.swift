public import JSON
public import NodeKit

/// The other nodes of the running workflow, as the prompt and, where there is one, the UI file describe them.
public struct WorkflowNodes {
    private let prompt: JSONObject
    private let drawn: [JSON]

    public init(_ context: NodeContext) {
        prompt = context.prompt.objectValue ?? JSONObject()
        drawn = context.extraPNGInfo["workflow"]?["nodes"]?.arrayValue ?? []
    }

    /// The id of the first node with that title.
    public func id(titled title: String) -> String? {
        if let node = drawn.first(where: { $0["title"]?.stringValue == title }) { return Self.id(of: node) }
        return prompt.first { $0.value["_meta"]?["title"]?.stringValue == title }?.key
    }

    /// The id of the first node with that name for search and replace, or else that title.
    public func id(named name: String) -> String? {
        if let node = drawn.first(where: { $0["properties"]?["Node name for S&R"]?.stringValue == name }) {
            return Self.id(of: node)
        }
        return id(titled: name) ?? prompt.first { $0.value["class_type"]?.stringValue == name }?.key
    }

    /// The inputs of a node as they stand in the prompt: constants, and links as `[id, slot]`.
    public func inputs(of id: String) -> JSONObject? { prompt[id]?["inputs"]?.objectValue }

    /// The node that an input of a node is linked to.
    public func source(of input: String, of id: String) -> String? { inputs(of: id)?[input]?[0]?.stringValue }

    private static func id(of node: JSON) -> String? {
        node["id"]?.stringValue ?? node["id"]?.intValue.map(String.init)
    }
}
