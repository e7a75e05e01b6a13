import Synchronization

/// Who waits for the ends of prompts: requests of `/run`.
final class PromptObservers: Sendable {
    private struct Observer: Sendable {
        var ticket: Int
        var continuation: AsyncStream<PromptOutcome>.Continuation
    }

    private struct State {
        var waiting: [ByteKey: [Observer]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// Says once how a prompt ends; ends without a word when it is left to the next server. To be asked before the prompt is
    /// added.
    func outcome(of id: String) -> AsyncStream<PromptOutcome> {
        let (stream, continuation) = AsyncStream<PromptOutcome>.makeStream()
        let ticket = state.withLock { state in
            state.count += 1
            state.waiting[ByteKey(id), default: []].append(Observer(ticket: state.count, continuation: continuation))
            return state.count
        }
        // Who waits no longer is forgotten: also when the prompt was not taken.
        continuation.onTermination = { [weak self] _ in self?.forget(id, ticket) }
        return stream
    }

    private func forget(_ id: String, _ ticket: Int) {
        state.withLock { state in
            state.waiting[ByteKey(id)]?.removeAll { $0.ticket == ticket }
            if state.waiting[ByteKey(id)]?.isEmpty == true { state.waiting[ByteKey(id)] = nil }
        }
    }

    private func take(_ id: String) -> [Observer] {
        state.withLock { $0.waiting.removeValue(forKey: ByteKey(id)) } ?? []
    }

    /// A prompt has ended, or was deleted.
    func tell(_ outcome: PromptOutcome) {
        for observer in take(outcome.id) {
            observer.continuation.yield(outcome)
            observer.continuation.finish()
        }
    }

    /// A prompt does not end with this server.
    func leave(_ id: String) {
        for observer in take(id) { observer.continuation.finish() }
    }
}
