import CoreNodes
import CustomScriptsNodes
import JPSNodes
import KJNodes
import NodeKit
import RgthreeNodes
import Tensors

let allPacks = [corePack, kjNodesPack, rgthreePack, customScriptsPack, jpsPack]

/// The definition of a node type of any pack.
func definition(_ id: String) throws -> NodeDefinition {
    guard let found = allPacks.flatMap(\.definitions).first(where: { $0.schema.id == id }) else {
        throw NodeError("no node \(id)")
    }
    return found
}

/// Runs a node on single values.
func call(
    _ id: String, _ inputs: [String: any NodeValue], _ context: NodeContext
) async throws -> [[any NodeValue]] {
    try await definition(id).run(inputs.mapValues { [$0] }, context)
}

/// One output of a node, of a known type.
func call<Value: NodeValue>(
    _ id: String, _ inputs: [String: any NodeValue], _ context: NodeContext, output: Int = 0,
    as type: Value.Type = Value.self
) async throws -> Value {
    let results = try await call(id, inputs, context)
    guard results.indices.contains(output), let value = results[output].first as? Value else {
        throw NodeError("\(id): output \(output) is no \(Value.self): \(results)")
    }
    return value
}

/// What a node says against its constants before a run.
func objection(_ id: String, _ constants: [String: any NodeValue], _ files: any NodeFiles) async throws -> String? {
    guard let validator = try definition(id).validator else { throw NodeError("\(id) judges nothing") }
    return try await validator.validate(constants.mapValues { [$0] }, received: [:], files)
}

/// The message of what a call throws; "" if it succeeds.
func failure(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch {
        return "\(error)"
    }
}
