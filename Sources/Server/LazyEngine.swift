public import Engine
import NIOPosix
import Synchronization

/// The node types and the engine of a server: made once, in the background or when they are first needed, on a thread of
/// their own.
public final class LazyEngine: Sendable {
    private let registryTask: Mutex<Task<NodeRegistry, Never>?> = Mutex(nil)
    private let engineTask: Mutex<Task<GraphEngine, any Error>?> = Mutex(nil)
    private let made = Mutex<GraphEngine?>(nil)
    private let parts: ServerParts

    init(_ parts: ServerParts) { self.parts = parts }

    /// The engine if it was made already.
    var known: GraphEngine? { made.withLock { $0 } }
    var isReady: Bool { known != nil }

    /// The node types.
    public var registry: NodeRegistry {
        get async {
            let task = registryTask.withLock { known in
                if let known { return known }
                let made = Task { [parts] in await onThread { parts.registry() } }
                known = made
                return made
            }
            return await task.value
        }
    }

    /// The engine; asked again after a failure.
    ///
    /// - Throws: what stops the backend from being made.
    public var engine: GraphEngine {
        get async throws {
            let task = engineTask.withLock { known in
                if let known { return known }
                let task = Task { [parts, self] in
                    let registry = await registry
                    let engine = try await onThread { Result { try parts.engine(registry) } }.get()
                    made.withLock { $0 = engine }
                    return engine
                }
                known = task
                return task
            }
            do {
                return try await task.value
            } catch {
                engineTask.withLock { $0 = nil }
                throw error
            }
        }
    }
}

/// Runs what takes a while, or waits for files, outside the pool that all tasks share, and apart from Dispatch's threads, on
/// which nodes compute for minutes.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        NIOThreadPool.singleton.submit { _ in continuation.resume(returning: work()) }
    }
}
