import Synchronization

/// Changes of a file that is read, changed and written: one after the other.
final class FileTurns: Sendable {
    private let turn = Mutex(())

    /// Does one change away from the threads that serve sockets; faults of folders become answers.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await onDisk { try self.turn.withLock { _ in try body() } }
    }
}
