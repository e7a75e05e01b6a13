public import JSON

/// What a node takes and gives, as the graph and front ends see it. Derived from the node's declaration.
public struct NodeSchema: Sendable {
    /// The name in workflow files (`class_type`).
    public var id: String
    public var displayName: String
    /// Whether the name was given, rather than taken from the id.
    public var hasDisplayName = false
    public var category: String
    public var description: String
    /// Where it comes from: "nodes" for the core, "custom_nodes.NAME" for packs.
    public var module: String
    /// Whether it is a root of execution.
    public var isOutput: Bool
    /// Increased when the node's results change for equal inputs; part of cache keys.
    public var version: Int
    /// Whether it may only share results with itself (its key contains the node id).
    public var usesNodeID: Bool
    /// Inputs in order: required, then optional.
    public var inputs: [InputSchema]
    public var hidden: [HiddenInput]
    public var outputs: [OutputSchema]
    public var style: SchemaStyle
    /// See ``NodeInfo/isDeprecated``.
    public var isDeprecated = false
    /// See ``NodeInfo/isExperimental``.
    public var isExperimental = false
    /// What the node does while it runs.
    public var work: NodeWork
    /// Whether links to ports that are not declared are passed to the node.
    public var takesUndeclared: Bool

    public init(
        id: String, displayName: String, category: String, description: String = "", module: String = "nodes",
        isOutput: Bool = false, version: Int = 1, usesNodeID: Bool = false, inputs: [InputSchema],
        hidden: [HiddenInput] = [], outputs: [OutputSchema], style: SchemaStyle = .classic,
        work: NodeWork = .computing, takesUndeclared: Bool = false
    ) {
        self.id = id
        self.displayName = displayName
        self.category = category
        self.description = description
        self.module = module
        self.isOutput = isOutput
        self.version = version
        self.usesNodeID = usesNodeID
        self.inputs = inputs
        self.hidden = hidden
        self.outputs = outputs
        self.style = style
        self.work = work
        self.takesUndeclared = takesUndeclared
    }

    public func input(named name: String) -> InputSchema? { inputs.first { $0.name == name } }
    /// Whether the node takes whole lists in one call.
    public var takesLists: Bool { inputs.contains { $0.isList } }
}

/// What a node does while it runs: decides what may run beside it.
public enum NodeWork: Sendable, Hashable {
    /// Uses processors and memory. Few of these run at the same time.
    case computing
    /// Uses all processors and much memory for long: samplers. One at a time.
    case sampling
    /// Reads files. Runs beside computing.
    case loading
    /// Waits, for the clock or the network. Any number run at the same time, and they are begun as early as possible.
    case waiting
}

/// How the entry of `/object_info` is written: the reference's older and newer nodes differ (server-api.md §6.1, §6.2).
public enum SchemaStyle: Sendable, Hashable {
    case classic
    /// A display name that is only the id is null; `deprecated` and `experimental` are always there.
    case v3
}

/// One input of a node.
public struct InputSchema: Sendable {
    public enum Kind: Sendable, Hashable {
        /// A link or a literal of this type ("IMAGE", "INT", "*", "IMAGE,MASK").
        case type(String)
        /// One of a list.
        case choice(Choices)
    }
    public var name: String
    public var kind: Kind
    public var isOptional: Bool
    /// Whether the node receives the whole list of values.
    public var isList: Bool
    /// Whether a constant can be the value; `false` for pictures, models and the like.
    public var takesLiterals: Bool
    /// Whether what feeds it is only run when the node asks for it (``LazyNode``).
    public var isLazy: Bool
    /// Whether the node gets the link itself.
    public var isRawLink: Bool
    /// Whether it stands in the hidden group: front ends do not offer it.
    public var isHidden: Bool
    /// Further options as in `/object_info`: default, min, max, step, round, multiline, dynamicPrompts, forceInput, …
    public var options: JSONObject

    public init(
        name: String, kind: Kind, isOptional: Bool = false, isList: Bool = false, takesLiterals: Bool = true,
        isLazy: Bool = false, isRawLink: Bool = false, isHidden: Bool = false, options: JSONObject = JSONObject()
    ) {
        self.name = name
        self.kind = kind
        self.isOptional = isOptional
        self.isList = isList
        self.takesLiterals = takesLiterals
        self.isLazy = isLazy
        self.isRawLink = isRawLink
        self.isHidden = isHidden
        self.options = options
        if isLazy { self.options["lazy"] = .bool(true) }
        if isRawLink { self.options["rawLink"] = .bool(true) }
    }

    /// Whether the input has a widget in the front end (its value then stands in `widgets_values`).
    public var isWidget: Bool {
        if isHidden || isRawLink || options["forceInput"] == .bool(true) { return false }
        switch kind {
        case .choice: return true
        case .type(let type): return ["INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"].contains(type)
        }
    }
}

/// The choices of a combo input.
public enum Choices: Sendable, Hashable {
    case fixed([String])
    /// File names of a folder type ("loras", "vae"), read when asked; `extra` entries come first.
    case files(folder: String, extra: [String] = [])
    /// Pictures of the input folder.
    case inputImages
}

/// An input that the engine fills in.
public enum HiddenInput: String, Sendable, Hashable {
    case prompt = "PROMPT"
    case extraPNGInfo = "EXTRA_PNGINFO"
    case uniqueID = "UNIQUE_ID"
    /// ``NodeContext/graph``.
    case liveGraph = "DYNPROMPT"

    /// Its usual name in schemas.
    public var name: String {
        switch self {
        case .prompt: "prompt"
        case .extraPNGInfo: "extra_pnginfo"
        case .uniqueID: "unique_id"
        case .liveGraph: "dynprompt"
        }
    }
}

/// One output of a node.
public struct OutputSchema: Sendable, Hashable {
    public var name: String
    public var type: String
    /// Whether the node gives a list of values, each passed on by itself.
    public var isList: Bool
    public init(name: String, type: String, isList: Bool = false) {
        self.name = name
        self.type = type
        self.isList = isList
    }
}
