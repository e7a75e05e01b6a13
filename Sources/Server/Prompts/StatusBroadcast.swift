import NIOCore
import Synchronization

/// Tells all clients how long the queue is: at once after a pause, and in a busy time at intervals, the last state always.
/// Editors answer every such message with two requests.
final class StatusBroadcast: Sendable {
    private struct State {
        var last: ContinuousClock.Instant?
        var isScheduled = false
    }

    private static let interval = Duration.milliseconds(100)
    private let state = Mutex(State())
    private let send: @Sendable () -> Void

    init(_ send: @escaping @Sendable () -> Void) { self.send = send }

    func changed() {
        enum Next { case now, later(Duration), nothing }
        let next = state.withLock { state -> Next in
            if state.isScheduled { return .nothing }
            let now = ContinuousClock.now
            guard let last = state.last, now - last < Self.interval else {
                state.last = now
                return .now
            }
            state.isScheduled = true
            return .later(Self.interval - (now - last))
        }
        switch next {
        case .nothing: break
        case .now: send()
        case .later(let delay):
            Task { [self] in
                try? await Task.sleep(for: delay)
                state.withLock { state in
                    state.isScheduled = false
                    state.last = .now
                }
                send()
            }
        }
    }
}
