import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Sets up connections: HTTP/1.1 with time limits, and sockets where a client asks for one.
struct Connections: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    private static let undecodedLimit = 256 << 10

    let options: ServeOptions
    /// `nil` speaks plain HTTP.
    let certificate: ServerCertificate?
    let upgrade: SocketUpgrade
    let responder: HTTPChannelHandler.Responder

    init(
        _ options: ServeOptions, _ certificate: ServerCertificate?, _ upgrade: SocketUpgrade,
        _ responder: RequestResponder
    ) {
        self.options = options
        self.certificate = certificate
        self.upgrade = upgrade
        self.responder = { request, writer, _ in
            let response = await responder.respond(to: request)
            try await writer.write(response: response.head, body: response.body)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let certificate { try pipeline.addHandler(certificate.handler()) }
            let watcher = ConnectionGuard(options)
            let watch = ByteWatch(watcher)
            let encoder = HTTPResponseEncoder()
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 32 << 10
            limits.maxHeaderListSize = 64 << 10
            limits.maxHeaderFieldCount = 200
            // After a request for an upgrade the decoder only keeps what comes: that must have an end.
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits),
                maximumBufferSize: Self.undecodedLimit)
            try pipeline.addHandlers(watch, encoder, decoder)
            try pipeline.addHandler(watcher)
            let compressor = options.compresses ? Self.compressor() : nil
            if let compressor { try pipeline.addHandler(compressor) }
            try pipeline.addHandler(
                SocketUpgradeHandler(
                    upgrade, watcher, others: [watch, encoder, watcher] + (compressor.map { [$0] } ?? []),
                    decoder: decoder))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: certificate != nil))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }

    private static func compressor() -> HTTPResponseCompressor {
        HTTPResponseCompressor(
            initialByteBufferCapacity: 4096,
            responseCompressionPredicate: { head, _ in
                head.headers.contains(name: Compression.mark.rawName) ? .compressIfPossible : .doNotCompress
            })
    }
}
