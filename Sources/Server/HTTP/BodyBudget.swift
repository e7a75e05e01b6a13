import CMalloc
import HTTPTypes
import Synchronization

/// Bounds what the bodies of all requests may take at the same time: a limit for each does not keep a hundred of them
/// from taking all memory.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// The part of one request; given back when nobody holds it any more.
    final class Share: Sendable {
        /// Bodies of this size leave holes that the allocator would keep.
        private static let large = 4 << 20

        private let budget: BodyBudget
        private let bytes = Mutex(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        /// - Throws: ``HTTPFailure`` 503 when too much is being read already.
        func add(_ count: Int) throws(HTTPFailure) {
            let isTaken = budget.used.withLock { used in
                guard used + count <= budget.limit else { return false }
                used += count
                return true
            }
            guard isTaken else {
                throw HTTPFailure(
                    .serviceUnavailable, "the bodies of other requests take all that is there for them; try again",
                    headers: [.retryAfter: "1"])
            }
            bytes.withLock { $0 += count }
        }

        /// What was added so far.
        var count: Int { bytes.withLock { $0 } }

        deinit {
            let count = bytes.withLock { $0 }
            budget.used.withLock { $0 -= count }
            if count >= Self.large { cmalloc_trim() }
        }
    }

    func share() -> Share { Share(self) }
}
