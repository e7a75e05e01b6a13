import HTTPTypes
import Hashing
import JSON
import NIOCore
import NIOHTTP1
import NIOPosix

/// Tells other servers of prompts that have ended: POST with JSON, signed, repeated until it is taken.
///
/// `X-Graphrun-Signature: t=SECONDS,v1=HEX` carries the HMAC-SHA256 of `SECONDS.BODY` under the shared secret; the time in
/// it keeps others from sending an old announcement again. `X-Graphrun-Delivery` is the same for all tries of one
/// announcement.
struct Webhooks: Sendable {
    struct Target: Sendable {
        var url: String
        var host: String
        var port: Int
        /// Path and query.
        var path: String
    }

    private static let delays: [Duration] = [.zero, .seconds(1), .seconds(5), .seconds(30), .seconds(120)]
    private static let timeout = TimeAmount.seconds(10)

    private let targets: [Target]
    private let secret: String?
    private let log: ServerLog
    private let metrics: ServerMetrics

    /// - Throws: ``ServeError`` for addresses that are no http URLs.
    init(_ options: ServeOptions, _ log: ServerLog, _ metrics: ServerMetrics) throws(ServeError) {
        var targets: [Target] = []
        for url in options.webhooks { targets.append(try Self.target(url)) }
        self.targets = targets
        secret = options.webhookSecret
        self.log = log
        self.metrics = metrics
    }

    private static func target(_ url: String) throws(ServeError) -> Target {
        guard url.hasPrefix("http://") else {
            throw ServeError("--webhook \(shortened(url)): expected an address that begins with http://")
        }
        let rest = url.dropFirst("http://".count)
        let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
        guard let host = HostName(authority: String(rest[..<slash])) else {
            throw ServeError("--webhook \(shortened(url)): \"\(shortened(String(rest[..<slash])))\" is no host")
        }
        let path = String(rest[slash...])
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ServeError("--webhook \(shortened(url)): blanks and letters beyond ASCII have to be percent-encoded")
        }
        return Target(
            url: url, host: host.name, port: host.port ?? 80, path: path.hasPrefix("/") ? path : "/" + path)
    }

    /// Returns at once; tries go on in the background.
    func announce(_ outcome: PromptOutcome) {
        guard !targets.isEmpty, outcome.status != .deleted else { return }
        let members: JSONObject = [
            "event": .string("prompt_finished"), "prompt_id": .string(outcome.id),
            "status": .string(outcome.status.rawValue), "seconds": .double(outcome.duration.seconds),
            "outputs": outcome.record["outputs"] ?? .object(JSONObject()), "timestamp": .int(milliseconds()),
        ]
        let body = JSON.object(members).text(.compact)
        let delivery = freshID()
        for target in targets { Task { await deliver(body, delivery, to: target) } }
    }

    private func deliver(_ body: String, _ delivery: String, to target: Target) async {
        var reason = ""
        for delay in Self.delays {
            try? await Task.sleep(for: delay)
            do {
                let status = try await post(body, delivery, to: target)
                if (200..<300).contains(status) { return metrics.webhook("delivered") }
                reason = "it answered \(status)"
                // Requests that are refused for good are not repeated.
                if (400..<500).contains(status) && status != 408 && status != 429 { break }
            } catch {
                reason = String(describing: error)
            }
        }
        metrics.webhook("failed")
        log.error("webhook \(shortened(target.url)): \(reason)")
    }

    private func post(_ body: String, _ delivery: String, to target: Target) async throws -> Int {
        var headers: HTTPHeaders = [
            "host": target.port == 80 ? target.host : "\(target.host):\(target.port)",
            "content-type": "application/json; charset=utf-8", "content-length": String(body.utf8.count),
            "user-agent": "graphrun", "connection": "close", "x-graphrun-delivery": delivery,
        ]
        if let secret {
            let time = milliseconds() / 1000
            let signature = HMAC.sha256(key: Array(secret.utf8), Array("\(time).\(body)".utf8))
            headers.add(name: "x-graphrun-signature", value: "t=\(time),v1=\(hexadecimal(signature))")
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(Self.timeout)
            .connect(host: target.host, port: target.port) { channel in
                channel.eventLoop.makeCompletedFuture {
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

/// Keyed digests (RFC 2104).
enum HMAC {
    static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var block = key.count > 64 ? digest(key) : key
        block += Array(repeating: 0, count: 64 - block.count)
        return digest(block.map { $0 ^ 0x5C } + digest(block.map { $0 ^ 0x36 } + message))
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] { SHA256.digest(bytes).bytes }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
