public import JSON
import NIOCore

/// A message to a client.
public struct SocketMessage: Sendable {
    enum Content: Sendable {
        case text(ByteBuffer)
        case binary(ByteBuffer)
    }

    /// Messages of which only the latest matters: a waiting one gives way to a newer one.
    enum Slot: Hashable, Sendable {
        case status
        case progress(prompt: String, node: String)
        case progressState(prompt: String)
        case preview(prompt: String, node: String)
    }

    var content: Content
    /// `nil` for messages that must not be lost.
    var slot: Slot?

    var byteCount: Int {
        switch content {
        case .text(let buffer), .binary(let buffer): buffer.readableBytes
        }
    }

    init(_ content: Content, slot: Slot? = nil) {
        self.content = content
        self.slot = slot
    }

    init(_ type: String, _ data: JSONObject, slot: Slot? = nil) {
        let json: JSONObject = ["type": .string(type), "data": .object(data)]
        self.init(.text(ByteBuffer(string: JSON.object(json).text(.compact))), slot: slot)
    }

    /// A message that is never merged with others: `logs`, for example.
    public init(type: String, data: JSONObject) { self.init(type, data) }
}
