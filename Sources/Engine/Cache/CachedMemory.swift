import Hashing
import NodeKit

/// What a node type remembers, kept among the results.
struct CachedMemory: NodeMemory {
    private let cache: ResultCache
    private let schema: NodeSchema

    init(_ cache: ResultCache, _ schema: NodeSchema) {
        self.cache = cache
        self.schema = schema
    }

    func value(_ key: String) -> (any NodeValue)? { cache[digest(key)]?.outputs.first?.first }
    func remember(_ value: any NodeValue, _ key: String) {
        cache.store(NodeResult(outputs: [[value]]), for: digest(key))
    }

    private func digest(_ key: String) -> CacheKey {
        var builder = KeyBuilder(schema, environment: "memory")
        builder.add(changeText: key)
        return builder.finish()
    }
}
