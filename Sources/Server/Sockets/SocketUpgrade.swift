import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Decides over requests for a WebSocket (RFC 6455 §4.2): `/ws` and `/api/ws`.
struct SocketUpgrade: Sendable {
    let guardian: RequestGuard
    let hub: SocketHub
    let options: ServeOptions

    enum Decision {
        /// With the value for `Sec-WebSocket-Accept` and the client's id.
        case accept(key: String, clientID: String)
        case refuse(HTTPResponseStatus, String)
    }

    static func isWanted(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    func decide(_ head: HTTPRequestHead) -> Decision {
        let target = Substring(head.uri)
        let mark = target.firstIndex(of: "?")
        let path = String(mark.map { target[..<$0] } ?? target)
        guard path == "/ws" || path == "/api/ws" else { return .refuse(.notFound, "") }
        guard let query = QueryItems(mark.map { target[target.index(after: $0)...] } ?? "") else {
            return .refuse(.badRequest, "the query is not percent-encoded UTF-8")
        }
        var fields = HTTPFields()
        for name in [HTTPField.Name.origin, .authorization, .cookie] {
            for value in head.headers[name.canonicalName] { fields.append(HTTPField(name: name, value: value)) }
        }
        if let refusal = guardian.refusal(
            .get, fields, authority: head.headers.first(name: "host"), path: path, queryToken: query["token"])
        {
            return .refuse(HTTPResponseStatus(statusCode: refusal.status.code), refusal.message)
        }
        guard head.headers.first(name: "sec-websocket-version") == "13" else {
            return .refuse(.upgradeRequired, "only version 13 of WebSocket is spoken")
        }
        guard let key = head.headers.first(name: "sec-websocket-key"), key.utf8.count == 24 else {
            return .refuse(.badRequest, "Sec-WebSocket-Key is missing or malformed")
        }
        guard hub.count < options.socketLimit else {
            return .refuse(.serviceUnavailable, "\(options.socketLimit) sockets are open, which is the limit")
        }
        let given = query["clientId"] ?? ""
        guard given.utf8.count <= 256 else { return .refuse(.badRequest, "clientId has more than 256 bytes") }
        return .accept(key: Self.answer(to: key), clientID: given.isEmpty ? freshID() : given)
    }

    /// The proof of having understood the handshake: SHA-1 of the key and a constant, in base 64.
    private static func answer(to key: String) -> String {
        Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}

/// Turns a connection into a socket when it asks for that, and otherwise stands aside.
final class SocketUpgradeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case standingAside
        /// Waits for the request's end.
        case upgrading(HTTPRequestHead)
        case refused
        /// What comes is no longer HTTP.
        case upgraded
    }

    private let upgrade: SocketUpgrade
    private let watcher: ConnectionGuard
    /// The handlers of HTTP, which end with it.
    private let others: [any RemovableChannelHandler]
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private var state = State.standingAside

    init(
        _ upgrade: SocketUpgrade, _ watcher: ConnectionGuard, others: [any RemovableChannelHandler],
        decoder: ByteToMessageHandler<HTTPRequestDecoder>
    ) {
        self.upgrade = upgrade
        self.watcher = watcher
        self.others = others
        self.decoder = decoder
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .upgraded: context.fireChannelRead(data)
        case .refused: break
        case .standingAside:
            guard case .head(let head) = unwrapInboundIn(data), SocketUpgrade.isWanted(head), watcher.open == 1 else {
                return context.fireChannelRead(data)
            }
            state = .upgrading(head)
        case .upgrading(let head):
            if case .end = unwrapInboundIn(data) { decide(head, context) }
        }
    }

    private func decide(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch upgrade.decide(head) {
        case .refuse(let status, let message):
            state = .refused
            let body = context.channel.allocator.buffer(string: message)
            let headers: HTTPHeaders = [
                "content-length": String(body.readableBytes), "content-type": "text/plain; charset=utf-8",
                "connection": "close", "sec-websocket-version": "13",
            ]
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .accept(let key, let clientID):
            do {
                try open(context, key: key, clientID: clientID)
            } catch {
                context.close(promise: nil)
            }
        }
    }

    private func open(_ context: ChannelHandlerContext, key: String, clientID: String) throws {
        let headers: HTTPHeaders = [
            "upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": key,
        ]
        let answer = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
        state = .upgraded
        let pipeline = context.pipeline.syncOperations
        let socket = ClientSocket(
            clientID: clientID, channel: context.channel, pingSeconds: upgrade.options.pingSeconds, hub: upgrade.hub)
        let handlers: [any ChannelHandler] = [
            WebSocketFrameEncoder(),
            ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: SocketHandler.frameLimit)),
            SocketHandler(socket, upgrade.hub),
        ]
        try pipeline.addHandlers(handlers, position: .after(self))
        for handler in others { _ = pipeline.removeHandler(handler) }
        // Last: it hands on what the client has sent after the handshake.
        _ = pipeline.removeHandler(decoder)
    }
}
