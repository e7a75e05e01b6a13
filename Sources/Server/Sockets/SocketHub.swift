import JSON
import NIOCore
import Synchronization

/// All open sockets: who they belong to, and what goes to whom.
public final class SocketHub: Sendable {
    private struct State {
        /// The socket of each client; a newer one replaces an older one, which stays open until its client closes it.
        var clients: [String: ClientSocket] = [:]
        var sockets: [ObjectIdentifier: ClientSocket] = [:]
        var greeting: (@Sendable (_ clientID: String) -> [SocketMessage])?
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

    /// What a new socket hears first.
    func greet(_ greeting: @escaping @Sendable (_ clientID: String) -> [SocketMessage]) {
        state.withLock { $0.greeting = greeting }
    }

    /// Whether somebody listens under this id.
    public func isConnected(_ clientID: String) -> Bool { state.withLock { $0.clients[clientID] != nil } }

    /// Sends to one client, if it is there.
    public func send(_ message: SocketMessage, to clientID: String) {
        state.withLock { $0.clients[clientID] }?.send(message)
    }

    /// Sends to everybody.
    public func broadcast(_ message: SocketMessage) {
        for socket in state.withLock({ Array($0.sockets.values) }) { socket.send(message) }
    }

    /// Sends a preview in the form that the client takes (server-api.md §12).
    ///
    /// - Parameters:
    ///   - metadata: of a frame of type 4.
    ///   - imageType: 1 for JPEG, 2 for PNG.
    func sendPreview(
        _ picture: ByteBuffer, imageType: UInt32, metadata: JSONObject, slot: SocketMessage.Slot, to clientID: String
    ) {
        guard let socket = state.withLock({ $0.clients[clientID] }) else { return }
        var frame = ByteBuffer()
        if socket.takesPreviewMetadata {
            let text = JSON.object(metadata).text(.compact)
            frame.writeInteger(UInt32(4))
            frame.writeInteger(UInt32(truncatingIfNeeded: text.utf8.count))
            frame.writeString(text)
        } else {
            frame.writeInteger(UInt32(1))
            frame.writeInteger(imageType)
        }
        frame.writeImmutableBuffer(picture)
        socket.send(SocketMessage(.binary(frame), slot: slot))
    }

    // MARK: Sockets

    func opened(_ socket: ClientSocket) {
        let greeting = state.withLock { state in
            state.sockets[ObjectIdentifier(socket)] = socket
            state.clients[socket.clientID] = socket
            return state.greeting
        }
        for message in greeting?(socket.clientID) ?? [] { socket.send(message) }
    }

    /// Only the socket that ends is forgotten: its client may have connected anew before.
    func closed(_ socket: ClientSocket) {
        state.withLock { state in
            state.sockets[ObjectIdentifier(socket)] = nil
            if state.clients[socket.clientID] === socket { state.clients[socket.clientID] = nil }
        }
    }

    func received(_ message: JSON, from socket: ClientSocket) {
        guard message["type"]?.stringValue == "feature_flags" else { return }
        socket.takesPreviewMetadata = message["data"]?["supports_preview_metadata"]?.boolValue ?? false
        socket.send(SocketMessage("feature_flags", features))
    }
}
