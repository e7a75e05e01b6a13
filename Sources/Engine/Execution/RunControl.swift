internal import Synchronization

/// Stops a run between steps, from any thread.
public final class RunControl: Sendable {
    private let stopped = Atomic(false)

    public init() {}

    public func cancel() { stopped.store(true, ordering: .relaxed) }
    public var isCancelled: Bool { stopped.load(ordering: .relaxed) }

    /// - Throws: `CancellationError` after ``cancel()``.
    public func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
