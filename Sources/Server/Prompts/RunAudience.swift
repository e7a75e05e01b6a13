import JSON
import NIOCore

/// Who hears of one run: the client that queued it, and those that watch all runs. Sockets come and go during a run.
struct RunAudience: Sendable {
    /// `nil` for prompts that no client claims.
    let clientID: String?
    let sockets: SocketHub

    var isEmpty: Bool { sockets.audience(of: clientID).isEmpty }

    func send(_ message: SocketMessage) {
        for socket in sockets.audience(of: clientID) { socket.send(message) }
    }

    /// Sends a preview in the form that each client takes (server-api.md §12).
    ///
    /// - Parameters:
    ///   - picture: a JPEG file.
    ///   - metadata: of frames of type 4.
    func sendPreview(_ picture: ByteBuffer, metadata: JSONObject, slot: SocketMessage.Slot) {
        let audience = sockets.audience(of: clientID)
        var frames: [Bool: SocketMessage] = [:]
        for socket in audience {
            let hasMetadata = socket.takesPreviewMetadata
            let frame = frames[hasMetadata] ?? Self.frame(picture, hasMetadata ? metadata : nil, slot)
            frames[hasMetadata] = frame
            socket.send(frame)
        }
    }

    private static func frame(
        _ picture: ByteBuffer, _ metadata: JSONObject?, _ slot: SocketMessage.Slot
    ) -> SocketMessage {
        var frame = ByteBuffer()
        if let metadata {
            let text = JSON.object(metadata).text(.compact)
            frame.writeInteger(UInt32(4))
            frame.writeInteger(UInt32(truncatingIfNeeded: text.utf8.count))
            frame.writeString(text)
        } else {
            frame.writeInteger(UInt32(1))
            // JPEG.
            frame.writeInteger(UInt32(1))
        }
        frame.writeImmutableBuffer(picture)
        return SocketMessage(.binary(frame), slot: slot)
    }
}
