import Glibc
import Logging
import Synchronization

/// What the server says of itself: on the console, and kept for `/internal/logs`.
public final class ServerLog: Sendable {
    public struct Entry: Sendable {
        /// Milliseconds since 1970.
        public var time: Int64
        public var text: String
    }

    private struct State {
        var entries: [Entry] = []
        var observer: (@Sendable (Entry) -> Void)?
    }

    /// Old lines go when there are more than this many.
    private static let limit = 300
    private let state = Mutex(State())
    private let print: @Sendable (String) -> Void

    /// - Parameter print: shows a line to the person who started the server.
    public init(print: @escaping @Sendable (String) -> Void) { self.print = print }

    public func note(_ text: String) {
        print(text)
        let entry = Entry(time: milliseconds(), text: text)
        let observer = state.withLock { state in
            state.entries.append(entry)
            if state.entries.count > 2 * Self.limit { state.entries.removeFirst(Self.limit) }
            return state.observer
        }
        observer?(entry)
    }

    public func error(_ text: String) { note("error: " + text) }

    /// The last lines.
    public var entries: [Entry] { state.withLock { Array($0.entries.suffix(Self.limit)) } }

    /// Called with every new line from now on.
    public func observe(_ observer: @escaping @Sendable (Entry) -> Void) { state.withLock { $0.observer = observer } }
}

/// Milliseconds since 1970.
func milliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// The logger of the libraries below: they have nothing to say that a user could act on.
struct SilentLogHandler: LogHandler {
    var logLevel: Logger.Level = .critical
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {}
}
