import HTTPTypes
import NIOCore
import NIOExtras
import NIOHTTP1

/// Closes connections that stand still: heads and bodies that trickle in, answers that nobody reads, clients that have
/// gone. Also says "continue" to clients that wait for it, and closes after the last answer of a connection.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Between requests.
        case idle(since: NIODeadline)
        /// The first bytes of a request are there, its head is not complete.
        case head(since: NIODeadline)
        /// The body arrives.
        case body(since: NIODeadline, bytes: Int)
        /// The request is complete.
        case answer
    }

    /// Bodies have to arrive at this rate on the average, beside the time that a head may take.
    private static let leastBytesPerSecond: Int64 = 8192
    /// How long what has begun may go on when the server ends.
    private static let timeToEnd = TimeAmount.seconds(5)
    /// How long an answer may stay unread.
    private static let unreadTime = TimeAmount.seconds(60)

    private let headTime: TimeAmount
    private let idleTime: TimeAmount
    private var phase = Phase.idle(since: .now())
    /// Requests without a complete answer.
    private(set) var open = 0
    private var answerHasBegun = false
    private var closesAfterAnswer = false
    private var unreadSince: NIODeadline?
    private var ticker: RepeatedTask?

    init(_ options: ServeOptions) {
        headTime = .seconds(options.headSeconds)
        idleTime = .seconds(options.idleSeconds)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Not the other way round, which would keep both alive.
        let bound = NIOLoopBound(WeakGuard(self, context), eventLoop: context.eventLoop)
        let step = TimeAmount.nanoseconds(max(headTime.nanoseconds / 4, 100_000_000))
        ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: step, delay: step) { task in
            guard let known = bound.value.handler, let context = bound.value.context else { return task.cancel() }
            known.tick(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { ticker?.cancel() }

    /// Bytes came in, before they are parsed.
    func bytesArrived() {
        if case .idle = phase { phase = .head(since: .now()) }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // Which of several would be meant? (RFC 9112 §3.2)
            guard head.headers["host"].count <= 1 else { return refuse(context, .badRequest) }
            open += 1
            phase = .body(since: .now(), bytes: 0)
            // After an upgrade that is not taken the parser reads no further.
            if !head.isKeepAlive || head.headers.contains(name: "upgrade") || head.method == .CONNECT {
                closesAfterAnswer = true
            }
            if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }), open == 1 {
                let go = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
            }
        case .body(let part):
            if case .body(let since, let bytes) = phase {
                phase = .body(since: since, bytes: bytes + part.readableBytes)
            }
        case .end:
            phase = open > 0 ? .answer : .idle(since: .now())
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is HTTPParserError: refuse(context, .badRequest)
        // More than anybody asked for.
        case is ByteToMessageDecoderError: context.close(promise: nil)
        default: context.fireErrorCaught(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Who reads the body must not take what has come for all of it.
        if case .body = phase, open > 0 { context.fireErrorCaught(ConnectionCut()) }
        context.fireChannelInactive()
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status.code >= 200 {
                answerHasBegun = true
                head.headers.remove(name: Compression.mark.rawName)
                if closesAfterAnswer { head.headers.replaceOrAdd(name: "connection", value: "close") }
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            open -= 1
            answerHasBegun = false
            if open == 0, case .answer = phase { phase = .idle(since: .now()) }
            if closesAfterAnswer && open == 0 {
                context.writeAndFlush(data).assumeIsolated().whenComplete { _ in
                    context.close(mode: .output, promise: nil)
                }
                promise?.succeed()
            } else {
                context.write(data, promise: promise)
            }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadSince = context.channel.isWritable ? nil : .now()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        // The server ends: what has begun is finished.
        closesAfterAnswer = true
        if open == 0 { return context.close(promise: nil) }
        // Who sends or reads slowly does not keep the server from ending.
        let bound = NIOLoopBound(WeakGuard(self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.timeToEnd) { bound.value.context?.close(promise: nil) }
    }

    // MARK: Time

    private func tick(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if let unreadSince, now - unreadSince > Self.unreadTime { return context.close(promise: nil) }
        switch phase {
        case .answer: break
        case .idle(let since):
            if now - since > idleTime { context.close(promise: nil) }
        case .head(let since):
            if now - since > headTime { refuse(context, .requestTimeout) }
        case .body(let since, let bytes):
            let allowed = headTime + .seconds(Int64(clamping: bytes) / Self.leastBytesPerSecond)
            if now - since > allowed { refuse(context, .requestTimeout) }
        }
    }

    /// Ends the connection, with a status if nothing else is being answered.
    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
        defer { context.fireErrorCaught(ConnectionCut()) }
        let isExpected: Bool =
            switch phase {
            case .idle, .head: open == 0
            case .body, .answer: open == 1 && !answerHasBegun
            }
        guard isExpected else { return context.close(promise: nil) }
        answerHasBegun = true
        let head = HTTPResponseHead(
            version: .http1_1, status: status, headers: ["connection": "close", "content-length": "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}

/// The connection ended in the middle of a request.
struct ConnectionCut: Error {}

private struct WeakGuard {
    weak var handler: ConnectionGuard?
    weak var context: ChannelHandlerContext?
    init(_ handler: ConnectionGuard, _ context: ChannelHandlerContext) {
        self.handler = handler
        self.context = context
    }
}

/// Tells a ``ConnectionGuard`` of bytes before the parser has made anything of them.
final class ByteWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    private let watcher: ConnectionGuard

    init(_ watcher: ConnectionGuard) { self.watcher = watcher }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watcher.bytesArrived()
        context.fireChannelRead(data)
    }
}
