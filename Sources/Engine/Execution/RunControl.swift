internal import Synchronization

/// Stops a run, from any thread: computing nodes at their next step, waiting ones at once.
public final class RunControl: Sendable {
    private struct State {
        var isCancelled = false
        var onCancel: (@Sendable () -> Void)?
    }
    private let stopped = Atomic(false)
    private let state = Mutex(State())

    public init() {}

    public func cancel() {
        stopped.store(true, ordering: .relaxed)
        let action = state.withLock { state in
            state.isCancelled = true
            return state.onCancel
        }
        action?()
    }

    public var isCancelled: Bool { stopped.load(ordering: .relaxed) }

    /// - Throws: `CancellationError` after ``cancel()``.
    public func check() throws {
        if isCancelled { throw CancellationError() }
    }

    /// Calls `action` on cancellation, at once if that was before; replaces an earlier action.
    func whenCancelled(_ action: (@Sendable () -> Void)?) {
        let isLate = state.withLock { state in
            state.onCancel = action
            return state.isCancelled
        }
        if isLate { action?() }
    }
}

/// What the nodes of one run ask whether to go on: the user may have stopped it, or another node may have failed.
final class RunScope: Sendable {
    private let control: RunControl
    private let failed = Atomic(false)

    init(_ control: RunControl) { self.control = control }

    /// Another node has failed: what still runs is to end.
    func abandon() { failed.store(true, ordering: .relaxed) }
    var isAbandoned: Bool { failed.load(ordering: .relaxed) }

    func check() throws {
        try control.check()
        if isAbandoned { throw CancellationError() }
    }
}
