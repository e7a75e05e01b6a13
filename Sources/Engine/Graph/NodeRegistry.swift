public import NodeKit

/// The node types that workflows may use, by `class_type`.
public struct NodeRegistry: Sendable {
    /// In order of registration.
    public let definitions: [NodeDefinition]
    /// What is wrong with the packs: names used twice (the first one wins), malformed schemas.
    public let problems: [String]
    /// The values that the cache on disk can keep.
    public let storable: StorableTypes
    private let byID: [String: Int]
    private let packs: [String]

    /// The nodes of several packs.
    public init(_ packs: [NodePack] = []) {
        var definitions: [NodeDefinition] = []
        var problems: [String] = []
        var byID: [String: Int] = [:]
        var names: [String] = []
        for pack in packs {
            for definition in pack.definitions {
                let id = definition.schema.id
                if let fault = Self.fault(in: definition.schema) {
                    problems.append("pack \(pack.name): node \"\(id)\" is left out: \(fault)")
                } else if let earlier = byID[id] {
                    problems.append(
                        "pack \(pack.name): node \"\(id)\" is left out: pack \(names[earlier]) has one of that name")
                } else {
                    byID[id] = definitions.count
                    definitions.append(definition)
                    names.append(pack.name)
                }
            }
        }
        self.definitions = definitions
        self.problems = problems
        storable = packs.reduce(.standard) { $0.merging($1.storable) }
        self.byID = byID
        self.packs = names
    }

    public subscript(classType: String) -> NodeDefinition? { byID[classType].map { definitions[$0] } }

    /// Name of the pack that a registered node belongs to.
    public func pack(of classType: String) -> String? { byID[classType].map { packs[$0] } }

    private static func fault(in schema: NodeSchema) -> String? {
        if schema.id.isEmpty { return "its name is empty" }
        var seen: Set<String> = []
        for input in schema.inputs {
            if input.name.isEmpty { return "an input has no name" }
            if !seen.insert(input.name).inserted { return "two inputs are called \"\(input.name)\"" }
            if case .type(let type) = input.kind, type.isEmpty { return "input \"\(input.name)\" has no type" }
        }
        return nil
    }
}
