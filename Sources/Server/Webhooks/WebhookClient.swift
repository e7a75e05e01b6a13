import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Posts announcements: one connection each.
struct WebhookClient: Sendable {
    private static let timeout = TimeAmount.seconds(10)
    /// `nil` where no target needs it: reading the system's root certificates takes a while.
    private let tls: NIOSSLContext?

    /// - Parameter roots: a PEM file of those that are trusted; `nil` for the system's.
    /// - Throws: ``ServeError`` for a file that cannot be used.
    init(isSecure: Bool, roots: String?) throws(ServeError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let roots { configuration.trustRoots = .file(roots) }
        do {
            tls = isSecure ? try NIOSSLContext(configuration: configuration) : nil
        } catch {
            throw ServeError("--webhook: https does not work here: \(error)")
        }
    }

    /// - Returns: the status that the target answered with.
    func post(_ body: String, _ extraHeaders: [(String, String)], to target: WebhookTarget) async throws -> Int {
        var headers: HTTPHeaders = [
            "host": target.authority, "content-type": "application/json; charset=utf-8",
            "content-length": String(body.utf8.count), "user-agent": "graphrun", "connection": "close",
        ]
        for (name, value) in extraHeaders { headers.add(name: name, value: value) }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(Self.timeout)
            .connect(host: target.host, port: target.port) { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    if target.isSecure, let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(
                                context: tls, serverHostname: target.hostIsAddress ? nil : target.host))
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        // A server that does not answer ends the connection.
        let timer = channel.channel.eventLoop.scheduleTask(in: Self.timeout) {
            channel.channel.close(promise: nil)
        }
        defer { timer.cancel() }
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: target.path, headers: headers)
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(contentsOf: [
                .head(head), .body(.byteBuffer(ByteBuffer(string: body))), .end(nil),
            ])
            for try await part in inbound {
                if case .head(let answer) = part, answer.status.code >= 200 { return Int(answer.status.code) }
            }
            throw ServeError("it did not answer")
        }
    }
}
