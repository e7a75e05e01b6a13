import CoreNodes
import JSON
import NodeKit

/// The nodes that make, join and choose contexts (pack-nodes.md §3). Their ports follow from the fields, so they are
/// defined by their parts.
enum ContextNodes {
    static func definitions(module: String) -> [NodeDefinition] {
        [(RgthreeContext.Field.small, ""), (RgthreeContext.Field.allCases, "Big ")].flatMap { fields, size in
            [
                context("Context \(size)(rgthree)", fields, module),
                choosing("Context Switch \(size)(rgthree)", fields, module) { contexts in
                    contexts.first { !$0.isEmpty } ?? RgthreeContext()
                },
                choosing("Context Merge \(size)(rgthree)", fields, module) { contexts in
                    contexts.reduce(RgthreeContext()) { $0.merging($1) }
                },
            ]
        }
    }

    /// A context from another one and single values.
    private static func context(_ id: String, _ fields: [RgthreeContext.Field], _ module: String) -> NodeDefinition {
        let base = InputSchema(
            name: "base_ctx", kind: .type(RgthreeContext.socketType), isOptional: true, takesLiterals: false)
        let ports = fields.map { field in
            InputSchema(
                name: field.rawValue, kind: .type(field.socketType), isOptional: true,
                takesLiterals: field.isLiteral, options: field.isLiteral ? ["forceInput": .bool(true)] : [:])
        }
        return definition(id, fields, [base] + ports, module) { values in
            var result = RgthreeContext()
            if let base = values["base_ctx"]?.first as? RgthreeContext { result = base }
            for field in fields {
                if let value = values[field.rawValue]?.first, !(value is NoValue) { result[field] = value }
            }
            return result
        }
    }

    /// A context from any number of contexts.
    private static func choosing(
        _ id: String, _ fields: [RgthreeContext.Field], _ module: String,
        _ choose: @escaping @Sendable ([RgthreeContext]) -> RgthreeContext
    ) -> NodeDefinition {
        let ports = (1...5).map {
            InputSchema(
                name: "ctx_0\($0)", kind: .type(RgthreeContext.socketType), isOptional: true, takesLiterals: false)
        }
        return definition(id, fields, ports, module, takesUndeclared: true) { values in
            let names = values.keys.filter { $0.hasPrefix("ctx_") }.sorted()
            return choose(names.compactMap { values[$0]?.first as? RgthreeContext })
        }
    }

    private static func definition(
        _ id: String, _ fields: [RgthreeContext.Field], _ inputs: [InputSchema], _ module: String,
        takesUndeclared: Bool = false, _ make: @escaping @Sendable ([String: [any NodeValue]]) -> RgthreeContext
    ) -> NodeDefinition {
        let outputs =
            [OutputSchema(name: "CONTEXT", type: RgthreeContext.socketType)]
            + fields.map { OutputSchema(name: $0.outputName, type: $0.socketType) }
        let schema = NodeSchema(
            id: id, displayName: id, category: "rgthree", module: module, inputs: inputs, outputs: outputs,
            takesUndeclared: takesUndeclared)
        return NodeDefinition(schema: schema) { values, _ in
            let result = make(values)
            return [[result]] + fields.map { [result[$0] ?? NoValue()] }
        }
    }
}

extension RgthreeContext.Field {
    /// Whether the field is a number, a text or a name.
    fileprivate var isLiteral: Bool { ["INT", "FLOAT", "STRING", "*"].contains(socketType) }
}
