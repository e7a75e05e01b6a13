import JSON
import NIOCore
import NIOExtras
import NIOWebSocket

/// The frames of one socket: messages of the client, pings, the end (RFC 6455).
final class SocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// How long a client may let everything wait.
    private static let unreadTime = TimeAmount.seconds(60)
    /// How long a client may take to read the last frame.
    private static let timeToClose = TimeAmount.seconds(3)
    /// Clients only send their feature flags.
    static let frameLimit = 1 << 16

    private let socket: ClientSocket
    private let hub: SocketHub
    /// The parts of a message that has not ended.
    private var message: ByteBuffer?
    private var isClosing = false
    private var unanswered = 0
    /// A ping that could not be answered yet; only the latest needs an answer (RFC 6455 §5.5.3).
    private var waitingPing: ByteBuffer?
    /// Whether more was to be read while the client reads nothing.
    private var readIsDue = false
    private var unreadSince: NIODeadline?
    private var ticker: RepeatedTask?

    init(_ socket: ClientSocket, _ hub: SocketHub) {
        self.socket = socket
        self.hub = hub
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(WeakHandler(self, context), eventLoop: context.eventLoop)
        let step = TimeAmount.seconds(socket.pingSeconds)
        ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: step, delay: step) { task in
            guard let handler = bound.value.handler, let context = bound.value.context else { return task.cancel() }
            handler.ping(context)
        }
        let loop = context.eventLoop
        socket.whenWaiting {
            loop.execute {
                if let handler = bound.value.handler, let context = bound.value.context {
                    handler.socket.drain(context)
                }
            }
        }
        hub.opened(socket)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    private func ended() {
        ticker?.cancel()
        ticker = nil
        socket.close()
        hub.closed(socket)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadSince = context.channel.isWritable ? nil : .now()
        if context.channel.isWritable {
            if let data = waitingPing { pong(context, data) }
            socket.drain(context)
            if readIsDue {
                readIsDue = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Who does not read what it is sent is not listened to either.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { readIsDue = true }
    }

    private func pong(_ context: ChannelHandlerContext, _ data: ByteBuffer) {
        guard context.channel.isWritable else {
            waitingPing = data
            return
        }
        waitingPing = nil
        let answer = WebSocketFrame(fin: true, opcode: .pong, data: data)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }

    /// Two pings without an answer: the client has gone without saying so.
    private func ping(_ context: ChannelHandlerContext) {
        if unanswered >= 2 { return context.close(promise: nil) }
        if let unreadSince, .now() - unreadSince > Self.unreadTime { return context.close(promise: nil) }
        unanswered += 1
        guard context.channel.isWritable else { return }
        let frame = WebSocketFrame(fin: true, opcode: .ping, data: context.channel.allocator.buffer(capacity: 0))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        unanswered = 0
        guard !isClosing else { return }
        // Clients have to mask, and extensions were not agreed on (RFC 6455 §5.1, §5.2).
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return close(context, .protocolError)
        }
        switch frame.opcode {
        case .text, .binary:
            guard message == nil else { return close(context, .protocolError) }
            take(frame, context)
        case .continuation:
            guard message != nil else { return close(context, .protocolError) }
            take(frame, context)
        case .ping:
            pong(context, frame.unmaskedData)
        case .pong: break
        case .connectionClose: close(context, .normalClosure)
        default: close(context, .protocolError)
        }
    }

    private func take(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        var whole = message ?? context.channel.allocator.buffer(capacity: 0)
        var part = frame.unmaskedData
        guard whole.readableBytes + part.readableBytes <= Self.frameLimit else {
            return close(context, .messageTooLarge)
        }
        whole.writeBuffer(&part)
        guard frame.fin else {
            message = whole
            return
        }
        message = nil
        // What is not understood is ignored (server-api.md §11).
        guard let json = try? JSON(parsing: whole.readableBytesView) else { return }
        hub.received(json, from: socket)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength: close(context, .messageTooLarge)
        case is NIOWebSocketError: close(context, .protocolError)
        default: context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: context.close(promise: nil)
        case is ChannelShouldQuiesceEvent: close(context, .goingAway)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func close(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode) {
        guard !isClosing else { return }
        isClosing = true
        socket.close()
        var data = context.channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
        context.writeAndFlush(wrapOutboundOut(frame)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
        // Also where the client reads nothing any more.
        let bound = NIOLoopBound(WeakHandler(self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.timeToClose) { bound.value.context?.close(promise: nil) }
    }
}

private struct WeakHandler {
    weak var handler: SocketHandler?
    weak var context: ChannelHandlerContext?
    init(_ handler: SocketHandler, _ context: ChannelHandlerContext) {
        self.handler = handler
        self.context = context
    }
}
