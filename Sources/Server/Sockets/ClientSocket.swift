import DequeModule
import JSON
import NIOCore
import NIOWebSocket
import Synchronization

/// One open socket: what waits to be sent to it, bounded, and what its client can read.
final class ClientSocket: Sendable {
    private struct State {
        /// `nil` where a newer message has taken the place.
        var waiting: Deque<SocketMessage?> = []
        /// How many messages were taken from the front; positions in ``slots`` count from the very first.
        var taken = 0
        var slots: [SocketMessage.Slot: Int] = [:]
        var byteCount = 0
        var count = 0
        var isScheduled = false
        var isClosed = false
        var takesPreviewMetadata = false
        var merged = 0
        /// Asks the connection to write what waits.
        var wake: (@Sendable () -> Void)?
    }

    /// A client that lets more than this wait is cut off: it reconnects and asks for the state.
    private static let countLimit = 10_000
    private static let byteLimit = 64 << 20

    let clientID: String
    let channel: any Channel
    let pingSeconds: Int64
    private let hub: SocketHub
    private let state = Mutex(State())

    init(clientID: String, channel: any Channel, pingSeconds: Int64, hub: SocketHub) {
        self.clientID = clientID
        self.channel = channel
        self.pingSeconds = pingSeconds
        self.hub = hub
    }

    /// Whether previews go out with metadata (server-api.md §12).
    var takesPreviewMetadata: Bool {
        get { state.withLock { $0.takesPreviewMetadata } }
        set { state.withLock { $0.takesPreviewMetadata = newValue } }
    }

    /// Takes a message; never waits.
    func send(_ message: SocketMessage) {
        enum Next { case nothing, schedule, cutOff }
        let next = state.withLock { state -> Next in
            guard !state.isClosed else { return .nothing }
            if let slot = message.slot {
                if let place = state.slots[slot], place >= state.taken {
                    let index = place - state.taken
                    state.byteCount -= state.waiting[index]?.byteCount ?? 0
                    if state.waiting[index] != nil { state.count -= 1 }
                    state.waiting[index] = nil
                    state.merged += 1
                }
                state.slots[slot] = state.taken + state.waiting.count
            }
            state.waiting.append(message)
            state.byteCount += message.byteCount
            state.count += 1
            if state.count > Self.countLimit || state.byteCount > Self.byteLimit {
                state.isClosed = true
                state.waiting = []
                state.slots = [:]
                return .cutOff
            }
            if state.isScheduled { return .nothing }
            state.isScheduled = true
            return .schedule
        }
        switch next {
        case .nothing: break
        case .schedule: state.withLock { $0.wake }?()
        case .cutOff: channel.close(promise: nil)
        }
    }

    /// Who writes what waits.
    func whenWaiting(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    /// Writes what waits, as far as the connection takes it. On the event loop.
    func drain(_ context: ChannelHandlerContext) {
        var sent = 0
        while context.channel.isWritable, let message = take() {
            let frame =
                switch message.content {
                case .text(let buffer): WebSocketFrame(fin: true, opcode: .text, data: buffer)
                case .binary(let buffer): WebSocketFrame(fin: true, opcode: .binary, data: buffer)
                }
            context.write(NIOAny(frame), promise: nil)
            sent += 1
            if sent % 64 == 0 { context.flush() }
        }
        if sent > 0 { context.flush() }
        let merged = state.withLock { state in
            defer { state.merged = 0 }
            return state.merged
        }
        hub.metrics.messages(sent: sent, merged: merged)
    }

    /// The next message; afterwards ``send(_:)`` asks for ``drain()`` again.
    private func take() -> SocketMessage? {
        state.withLock { state in
            while let next = state.waiting.popFirst() {
                let place = state.taken
                state.taken += 1
                guard let message = next else { continue }
                if let slot = message.slot, state.slots[slot] == place { state.slots[slot] = nil }
                state.byteCount -= message.byteCount
                state.count -= 1
                return message
            }
            state.isScheduled = false
            return nil
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
            state.slots = [:]
        }
    }
}
