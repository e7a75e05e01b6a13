public import JSON

/// What a workflow needs that this installation does not have, all of it at once.
public struct MissingParts: Sendable, Hashable {
    /// A node type that the program lacks.
    public struct NodeType: Sendable, Hashable {
        public var classType: String
        /// "owner/name" of the pack's repository on GitHub.
        public var pack: String?
        /// Whether it is one of ComfyUI's own.
        public var isReference: Bool
        public var nodes: [String]
        /// Whether an output needs one of the nodes, or one of them may be an output itself.
        public var isNeeded: Bool
    }

    /// A file that is not where a node would look for it.
    public struct File: Sendable, Hashable {
        public var name: String
        /// The folder type ("loras"), "input" for pictures; `nil` when nothing tells.
        public var folder: String?
        /// The folders of that type, in order of search.
        public var paths: [String]
        public var nodes: [String]
        /// The class of the first of the nodes.
        public var classType: String
        public var input: String?
        /// Whether the folder was guessed from names, because the program lacks the node type.
        public var isGuess: Bool
        /// Where the workflow says that the file comes from.
        public var url: String?
    }

    public var nodeTypes: [NodeType] = []
    public var files: [File] = []

    public init() {}

    public var isEmpty: Bool { nodeTypes.isEmpty && files.isEmpty }

    /// `{node_types: […], files: […]}`.
    public var json: JSON {
        .object([
            "node_types": .array(
                nodeTypes.map { type in
                    .object([
                        "class_type": .string(type.classType), "pack": type.pack.map { .string($0) } ?? .null,
                        "is_comfyui_own": .bool(type.isReference), "needed": .bool(type.isNeeded),
                        "nodes": .array(type.nodes.map { .string($0) }),
                    ])
                }),
            "files": .array(
                files.map { file in
                    .object([
                        "name": .string(file.name), "folder": file.folder.map { .string($0) } ?? .null,
                        "paths": .array(file.paths.map { .string($0) }), "class_type": .string(file.classType),
                        "input": file.input.map { .string($0) } ?? .null, "folder_is_guess": .bool(file.isGuess),
                        "url": file.url.map { .string($0) } ?? .null,
                        "nodes": .array(file.nodes.map { .string($0) }),
                    ])
                }),
        ])
    }
}
