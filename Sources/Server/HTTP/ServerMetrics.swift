import Synchronization

/// Counts what happens, for `/metrics`.
final class ServerMetrics: Sendable {
    /// Upper bounds of the classes of durations, in seconds.
    static let bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    struct Histogram {
        var counts = Array(repeating: 0, count: ServerMetrics.bounds.count + 1)
        var sum = 0.0

        mutating func add(_ seconds: Double) {
            let place = ServerMetrics.bounds.firstIndex { seconds <= $0 } ?? ServerMetrics.bounds.count
            counts[place] += 1
            sum += seconds
        }
    }

    struct RequestKey: Hashable {
        var route: String
        var status: Int
    }

    struct Counts {
        var requests: [RequestKey: Int] = [:]
        var durations = Histogram()
        var prompts: [String: Int] = [:]
        var promptDurations = Histogram()
        var sent = 0
        var merged = 0
        var webhooks: [String: Int] = [:]
    }

    private let state = Mutex(Counts())

    func request(_ route: String, _ status: Int, _ duration: Duration) {
        state.withLock {
            $0.requests[RequestKey(route: route, status: status), default: 0] += 1
            $0.durations.add(duration.seconds)
        }
    }

    /// A prompt has ended as success, error or interrupted.
    func prompt(_ outcome: String, _ duration: Duration) {
        state.withLock {
            $0.prompts[outcome, default: 0] += 1
            $0.promptDurations.add(duration.seconds)
        }
    }

    func messages(sent: Int, merged: Int) {
        state.withLock {
            $0.sent += sent
            $0.merged += merged
        }
    }

    func webhook(_ outcome: String) { state.withLock { $0.webhooks[outcome, default: 0] += 1 } }

    var counts: Counts { state.withLock { $0 } }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
