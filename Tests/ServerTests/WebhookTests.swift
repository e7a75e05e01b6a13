import Foundation
import JSON
import Testing

@testable import Server

/// A server that takes announcements, with answers given beforehand.
private final class Receiver: @unchecked Sendable {
    struct Delivery: Sendable {
        var head: String
        var body: [UInt8]
        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }.map {
                $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
            }
        }
    }

    let port: Int
    private let file: Int32
    private let lock = NSLock()
    private var deliveries: [Delivery] = []

    init(answers: [Int]) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let file = file
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, length) == 0 && listen(file, 8) == 0 && getsockname(file, $0, &length) == 0
            }
        }
        guard bound else { throw WireError("bind: \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in
            for status in answers {
                let connection = accept(file, nil, nil)
                guard connection >= 0 else { return }
                take(connection, status)
                close(connection)
            }
        }.start()
    }

    deinit { close(file) }

    private func take(_ connection: Int32, _ status: Int) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = String(text[..<end.lowerBound])
                let start = head.utf8.count + 4
                let length = Delivery(head: head, body: []).header("content-length").flatMap { Int($0) } ?? 0
                if bytes.count >= start + length {
                    lock.withLock { deliveries.append(Delivery(head: head, body: Array(bytes[start...]))) }
                    break
                }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            bytes += chunk[..<count]
        }
        let answer = Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n".utf8)
        _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
    }

    /// Waits for so many.
    func wait(_ count: Int) async throws -> [Delivery] {
        for _ in 0..<500 {
            let known = lock.withLock { deliveries }
            if known.count >= count { return known }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw WireError("no \(count) deliveries")
    }
}

@Suite struct WebhookTests {
    @Test func announcementsAreSignedAndRepeated() async throws {
        let receiver = try Receiver(answers: [500, 200])
        let server = try await TestServer.start {
            $0.webhooks = ["http://127.0.0.1:\(receiver.port)/hook?x=1"]
            $0.webhookSecret = "shared"
        }
        let id = try await server.queue(Graphs.saved())
        let deliveries = try await receiver.wait(2)
        #expect(deliveries[0].head.hasPrefix("POST /hook?x=1 HTTP/1.1"))
        #expect(deliveries[0].body == deliveries[1].body)
        #expect(deliveries[0].header("x-graphrun-delivery") == deliveries[1].header("x-graphrun-delivery"))
        let body = try JSON(parsing: deliveries[0].body)
        #expect(body["prompt_id"] == .string(id))
        #expect(body["status"] == .string("success"))
        #expect(body["outputs"]?["2"]?["images"]?[0]?["filename"]?.stringValue != nil)
        for delivery in deliveries {
            let signature = try #require(delivery.header("x-graphrun-signature"))
            let time = try #require(signature.split(separator: ",").first?.dropFirst(2))
            let expected = HMAC.sha256(key: Array("shared".utf8), Array("\(time).".utf8) + delivery.body)
            #expect(signature == "t=\(time),v1=\(hexadecimal(expected))")
        }
        for _ in 0..<100 {
            if try await server.get("/metrics").text.contains("graphrun_webhooks_total{outcome=\"delivered\"} 1") {
                break
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await server.get("/metrics").text.contains("graphrun_webhooks_total{outcome=\"delivered\"} 1"))
        try await server.stop()
    }

    /// What could not be delivered is delivered by the next server.
    @Test func announcementsOutliveTheServer() async throws {
        // One more, should the first server still get through while it ends.
        let receiver = try Receiver(answers: [500, 200, 200])
        let url = "http://127.0.0.1:\(receiver.port)/later"
        let first = try await TestServer.start { $0.webhooks = [url] }
        let id = try await first.queue(Graphs.saved())
        _ = try await receiver.wait(1)
        _ = try await first.record(id)
        try await first.stop(removesFolder: false)
        let second = try await TestServer.start(in: first.folder) { $0.webhooks = [url] }
        let deliveries = try await receiver.wait(2)
        #expect(try deliveries.allSatisfy { try JSON(parsing: $0.body)["prompt_id"] == .string(id) })
        #expect(deliveries[0].header("x-graphrun-delivery") == deliveries[1].header("x-graphrun-delivery"))
        for _ in 0..<100 {
            if try await second.get("/metrics").text.contains("{outcome=\"delivered\"} 1") { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await second.stop(removesFolder: false)
        var options = ServeOptions()
        options.userFolder = "\(first.folder)/user"
        let store = try PromptStore.open(options, ServerLog { _ in })
        #expect(try await store.announcements().isEmpty)
        store.close()
        try? FileManager.default.removeItem(atPath: first.folder)
    }

    @Test func refusalsAreNotRepeated() async throws {
        let receiver = try Receiver(answers: [410])
        let server = try await TestServer.start { $0.webhooks = ["http://127.0.0.1:\(receiver.port)"] }
        _ = try await server.queue(Graphs.failing)
        let delivery = try await receiver.wait(1)[0]
        #expect(delivery.head.hasPrefix("POST / HTTP/1.1"))
        #expect(delivery.header("x-graphrun-signature") == nil)
        #expect(try JSON(parsing: delivery.body)["status"] == .string("error"))
        for _ in 0..<100 {
            if try await server.get("/metrics").text.contains("{outcome=\"failed\"} 1") { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await server.get("/metrics").text.contains("graphrun_webhooks_total{outcome=\"failed\"} 1"))
        try await server.stop()
    }

    @Test func addressesAreChecked() async throws {
        for url in ["ftp://x", "https://", "http://", "http://a b/", "http://x/ä", "http://x:99999/", "x"] {
            await #expect(throws: ServeError.self, "\(url)") {
                let server = try await TestServer.start { $0.webhooks = [url] }
                try await server.stop()
            }
        }
    }
}
