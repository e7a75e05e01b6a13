public import NodeKit
public import Workflow

/// What may differ from one validation to another.
public struct ValidationOptions: Sendable {
    /// When a node of unknown type spoils a prompt.
    public enum UnknownTypes: Sendable, Hashable {
        /// Always, as in the reference: the whole prompt is refused (engine-semantics.md §3.1).
        case refused
        /// Only outputs that need such a node cannot run (ui-format.md §7): editors leave loose nodes behind.
        case refusedWhereNeeded
    }

    /// The output nodes to run; `nil` means all. Ids that are no outputs are ignored.
    public var targets: Set<String>?
    public var unknownTypes: UnknownTypes
    /// What the workflow's file says of its models.
    public var hints: ModelFileHints

    public init(
        targets: Set<String>? = nil, unknownTypes: UnknownTypes = .refused, hints: ModelFileHints = ModelFileHints()
    ) {
        self.targets = targets
        self.unknownTypes = unknownTypes
        self.hints = hints
    }
}

extension GraphEngine {
    /// Checks a whole prompt without an engine: no backend is needed for it.
    public static func validate(
        _ prompt: Prompt, registry: NodeRegistry, files: any NodeFiles, options: ValidationOptions
    ) async -> ValidationReport {
        await Validator(prompt, registry: registry, files: files, options: options).run()
    }
}
