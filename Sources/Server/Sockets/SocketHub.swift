import JSON
import NIOCore
import Synchronization

/// All open sockets: who they belong to, and what goes to whom.
public final class SocketHub: Sendable {
    private struct State {
        /// The sockets of each client, newest last: that one hears of the client's runs, the others
        /// stay open until the client closes them.
        var clients: [ByteKey: [ClientSocket]] = [:]
        var sockets: [ObjectIdentifier: ClientSocket] = [:]
        /// Sockets that hear of all runs.
        var watchers: [ObjectIdentifier: ClientSocket] = [:]
        var greeting: (@Sendable (_ clientID: String) -> [SocketMessage])?
        var overview: (@Sendable () -> [SocketMessage])?

        func own(_ clientID: String) -> ClientSocket? { clients[ByteKey(clientID)]?.last }
    }

    let metrics: ServerMetrics
    private let features: JSONObject
    private let state = Mutex(State())

    /// - Parameter features: the server's feature flags.
    init(features: JSONObject, metrics: ServerMetrics) {
        self.features = features
        self.metrics = metrics
    }

    /// How many sockets are open.
    public var count: Int { state.withLock { $0.sockets.count } }

    /// What a new socket hears first, and what one hears that begins to watch all runs.
    func greet(
        _ greeting: @escaping @Sendable (_ clientID: String) -> [SocketMessage],
        overview: @escaping @Sendable () -> [SocketMessage]
    ) {
        state.withLock { ($0.greeting, $0.overview) = (greeting, overview) }
    }

    /// Whether somebody listens under this id.
    public func isConnected(_ clientID: String) -> Bool { state.withLock { $0.own(clientID) != nil } }

    /// Sends to one client, if it is there.
    public func send(_ message: SocketMessage, to clientID: String) {
        state.withLock { $0.own(clientID) }?.send(message)
    }

    /// Sends to everybody.
    public func broadcast(_ message: SocketMessage) {
        for socket in state.withLock({ Array($0.sockets.values) }) { socket.send(message) }
    }

    /// The sockets that hear of a client's runs: its own, and those that watch all.
    func audience(of clientID: String?) -> [ClientSocket] {
        state.withLock { state in
            guard let clientID, let own = state.own(clientID) else { return Array(state.watchers.values) }
            return [own] + state.watchers.values.filter { $0 !== own }
        }
    }

    // MARK: Sockets

    /// The feature flag of clients that want to hear of all runs, not only of their own: dashboards.
    static let watchFlag = "graphrun_watches_all_runs"

    func opened(_ socket: ClientSocket) {
        let greeting = state.withLock { state in
            state.sockets[ObjectIdentifier(socket)] = socket
            state.clients[ByteKey(socket.clientID), default: []].append(socket)
            return state.greeting
        }
        for message in greeting?(socket.clientID) ?? [] { socket.send(message) }
    }

    /// Only the socket that ends is forgotten: its client may have connected anew before.
    func closed(_ socket: ClientSocket) {
        state.withLock { state in
            state.sockets[ObjectIdentifier(socket)] = nil
            state.watchers[ObjectIdentifier(socket)] = nil
            let client = ByteKey(socket.clientID)
            state.clients[client]?.removeAll { $0 === socket }
            if state.clients[client]?.isEmpty == true { state.clients[client] = nil }
        }
    }

    func received(_ message: JSON, from socket: ClientSocket) {
        guard message["type"]?.stringValue == "feature_flags" else { return }
        socket.takesPreviewMetadata = message["data"]?["supports_preview_metadata"]?.boolValue ?? false
        socket.send(SocketMessage("feature_flags", features))
        guard message["data"]?[Self.watchFlag]?.boolValue == true else { return }
        let overview = state.withLock { state in
            // A socket that has ended meanwhile must not come back.
            guard state.sockets[ObjectIdentifier(socket)] != nil else {
                return nil as (@Sendable () -> [SocketMessage])?
            }
            state.watchers[ObjectIdentifier(socket)] = socket
            return state.overview
        }
        for message in overview?() ?? [] { socket.send(message) }
    }
}
