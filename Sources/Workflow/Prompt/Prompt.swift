public import JSON
public import OrderedCollections

/// A graph in the form in which it is run (ComfyUI's "API format"): nodes by id, each with its type and inputs.
///
/// Source: spec/engine-semantics.md §1, spec/ui-format.md §1.
public struct Prompt: Sendable, Hashable {
    /// The nodes in the order of the file, which is the order of validation and of the ready set.
    public var nodes: OrderedDictionary<String, PromptNode>

    public init(nodes: OrderedDictionary<String, PromptNode> = [:]) { self.nodes = nodes }

    /// The node ids in order.
    public var ids: [String] { Array(nodes.keys) }

    public subscript(id: String) -> PromptNode? {
        get { nodes[id] }
        set { nodes[id] = newValue }
    }
}

/// One node of a ``Prompt``.
public struct PromptNode: Sendable, Hashable {
    /// The node type.
    public var classType: String
    /// The name the user gave it, if any.
    public var title: String?
    /// The inputs in order. A few nodes take "the first one that is connected", so the order is part of the graph.
    public var inputs: OrderedDictionary<String, PromptValue>

    public init(classType: String, title: String? = nil, inputs: OrderedDictionary<String, PromptValue> = [:]) {
        self.classType = classType
        self.title = title
        self.inputs = inputs
    }
}

/// What an input of a node is given.
public enum PromptValue: Sendable, Hashable {
    /// A constant. Arrays stand here bare, without the `__value__` that wraps them in the file.
    case literal(JSON)
    /// An output of another node.
    case link(PromptLink)
    /// An array that is neither wrapped nor a link: not two long, or not `[text, whole number]`. Validation reports it
    /// for the outputs that need it; the others can run.
    case malformedLink([JSON])

    public var literal: JSON? { if case .literal(let value) = self { value } else { nil } }
    public var link: PromptLink? { if case .link(let link) = self { link } else { nil } }
}

/// An output of a node.
public struct PromptLink: Sendable, Hashable, CustomStringConvertible {
    public var node: String
    /// The number of the output; may lie outside the node's outputs.
    public var slot: Int

    public init(node: String, slot: Int) {
        self.node = node
        self.slot = slot
    }

    public var description: String { "\(node)[\(slot)]" }
}
