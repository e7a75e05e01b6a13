import Foundation
import JSON
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import Server

/// HTTPS, secure sockets, and announcements over HTTPS.
@Suite struct TLSTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "graphrun-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func files() throws -> TLSFiles {
        let (certificate, key) = try TestCertificate.write(in: folder)
        return TLSFiles(certificates: certificate, key: key)
    }

    /// Sends a text over TLS, and reads until the server closes or a mark has come.
    private func exchange(_ port: Int, _ text: String, until mark: String? = nil) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file("\(folder)/certificate.pem")
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound {
                answer += String(decoding: part.readableBytesView, as: UTF8.self)
                if let mark, answer.contains(mark) { break }
            }
            return answer
        }
    }

    @Test func requestsAndSocketsAreServed() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try files()
        let server = try await TestServer.start {
            $0.tls = files
            $0.token = "long-enough"
        }
        let port = server.port
        let head = "Host: localhost:\(port)\r\nOrigin: https://localhost:\(port)\r\n"
        let answer = try await exchange(
            port, "GET /prompt?token=long-enough HTTP/1.1\r\n\(head)Connection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.contains("queue_remaining"))
        #expect(answer.contains("; Secure"))
        let other = try await exchange(
            port,
            "GET /prompt?token=long-enough HTTP/1.1\r\nHost: localhost:\(port)\r\n"
                + "Origin: https://localhost:1\r\nConnection: close\r\n\r\n")
        #expect(other.hasPrefix("HTTP/1.1 403"))
        let socket = try await exchange(
            port,
            "GET /ws?clientId=a&token=long-enough HTTP/1.1\r\n\(head)Upgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", until: "\"sid\"")
        #expect(socket.hasPrefix("HTTP/1.1 101"))
        #expect(socket.contains("\"status\""))
        try await server.stop()
    }

    /// Plain HTTP at a port of TLS, and a client that says nothing.
    @Test func whoSpeaksNoTLSIsCutOff() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try files()
        let server = try await TestServer.start {
            $0.tls = files
            $0.idleSeconds = 1
            $0.headSeconds = 1
        }
        let port = server.port
        let (plain, silent) = try await offPool { () -> ([UInt8], [UInt8]) in
            let wire = try Wire(port: port)
            wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return (wire.readToEnd(), try Wire(port: port).readToEnd())
        }
        #expect(!String(decoding: plain, as: UTF8.self).contains("HTTP/1.1"))
        #expect(silent.isEmpty)
        let answer = try await exchange(port, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        try await server.stop()
    }

    @Test func announcementsGoOverTLS() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try files()
        let receiver = try await TestServer.start { $0.tls = files }
        // A route that keeps what is posted to it.
        let server = try await TestServer.start {
            $0.webhooks = ["https://localhost:\(receiver.port)/settings"]
            $0.webhookRoots = files.certificates
        }
        let id = try await server.queue(Graphs.saved())
        _ = try await server.record(id)
        let request = "GET /settings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        var kept = ""
        for _ in 0..<100 where !kept.contains(id) {
            try await Task.sleep(for: .milliseconds(20))
            kept = try await exchange(receiver.port, request)
        }
        #expect(kept.contains(id) && kept.contains("prompt_finished"))
        // A server whose certificate nobody vouches for gets nothing.
        let suspicious = try await TestServer.start {
            $0.webhooks = ["https://localhost:\(receiver.port)/settings"]
        }
        let other = try await suspicious.queue(Graphs.saved(40))
        _ = try await suspicious.record(other)
        try await Task.sleep(for: .milliseconds(300))
        #expect(!(try await exchange(receiver.port, request)).contains(other))
        try await suspicious.stop()
        try await server.stop()
        try await receiver.stop()
    }

    @Test func filesAreCheckedAtTheStart() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try files()
        try "nothing".write(toFile: "\(folder)/nothing.pem", atomically: true, encoding: .utf8)
        for (certificates, key) in [
            ("\(folder)/missing.pem", files.key), ("\(folder)/nothing.pem", files.key),
            (files.certificates, "\(folder)/missing.pem"), (files.certificates, "\(folder)/nothing.pem"),
            (files.certificates, files.certificates), (files.key, files.key),
        ] {
            await #expect(throws: ServeError.self, "\(certificates) \(key)") {
                let server = try await TestServer.start {
                    $0.tls = TLSFiles(certificates: certificates, key: key)
                }
                try await server.stop()
            }
        }
    }
}
