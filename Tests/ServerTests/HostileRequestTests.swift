import Foundation
import JSON
import Testing

@testable import Server

/// Requests that mean harm: an error each, and the server goes on.
@Suite struct HostileRequestTests {
    private func status(_ server: TestServer, _ text: String) async throws -> Int? {
        let port = server.port
        return try await offPool {
            let wire = try Wire(port: port)
            wire.send(text)
            return wire.answer()?.status
        }
    }

    @Test func malformedRequests() async throws {
        let server = try await TestServer.start()
        let host = "Host: localhost\r\n"
        for text in [
            "nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\(host)\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            "GET /%zz HTTP/1.1\r\n\(host)\r\n", "GET /%ff HTTP/1.1\r\n\(host)\r\n",
            "GET /prompt?x=%f HTTP/1.1\r\n\(host)\r\n",
            "POST /prompt HTTP/1.1\r\n\(host)Content-Length: -1\r\n\r\n",
            "POST /prompt HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "POST /prompt HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            "GET /prompt HTTP/1.1\r\n\(host)X: \(String(repeating: "x", count: 100_000))\r\n\r\n",
            "GET /\(String(repeating: "x", count: 200_000)) HTTP/1.1\r\n\(host)\r\n",
            "GET /prompt HTTP/1.1\r\n\(host)"
                + (0..<1000).map { "X\($0): 1\r\n" }.joined() + "\r\n",
        ] {
            let found = try await status(server, text)
            // Some are only worth a closed connection.
            #expect(found == nil || (400..<500).contains(found ?? 0), "\(text.prefix(60)): \(found ?? 0)")
        }
        #expect(try await status(server, "GET http://localhost/prompt HTTP/1.1\r\n\(host)\r\n") == 200)
        #expect(try await status(server, "GET /prompt HTTP/1.0\r\n\(host)\r\n") == 200)
        #expect(try await server.get("/prompt").status == 200)
        try await server.stop()
    }

    @Test func oversizedBodies() async throws {
        let server = try await TestServer.start { $0.bodyLimit = 10_000 }
        let large = try await server.request("POST", "/prompt", body: Array(repeating: 0x20, count: 10_001))
        #expect(large.status == 413)
        // It says so before the body was sent.
        #expect(
            try await status(server, "POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
                == 413)
        let chunk = "1000\r\n" + String(repeating: " ", count: 4096) + "\r\n"
        #expect(
            try await status(
                server,
                "POST /prompt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(repeating: chunk, count: 3) + "0\r\n\r\n") == 413)
        try await server.stop()
    }

    @Test func deepAndLargeJSON() async throws {
        let server = try await TestServer.start { $0.nodeLimit = 1000 }
        let deep = String(repeating: "{\"a\":", count: 5000) + "1" + String(repeating: "}", count: 5000)
        #expect(try await server.request("POST", "/prompt", body: Array("{\"prompt\": \(deep)}".utf8)).status == 400)
        #expect(try await server.request("POST", "/queue", body: Array(deep.utf8)).status == 400)
        var nodes = JSONObject()
        for index in 0..<1001 { nodes[String(index)] = Graphs.stub() }
        let many = try await server.post("/prompt", .object(["prompt": .object(nodes)]))
        #expect(many.status == 400)
        #expect(many.json["error"]?["message"]?.stringValue?.contains("1001 nodes") == true)
        // A chain that is a cycle.
        var cycle = JSONObject()
        for index in 0..<900 {
            cycle[String(index)] = Graphs.node(
                "SaveImage",
                ["images": Graphs.link(String((index + 1) % 900)), "filename_prefix": .string("x")])
        }
        #expect(try await server.post("/prompt", .object(["prompt": .object(cycle)])).status == 400)
        try await server.stop()
    }

    /// Heads and bodies that come byte by byte.
    @Test func requestsThatTrickle() async throws {
        let server = try await TestServer.start { $0.headSeconds = 1 }
        let port = server.port
        func seconds(_ begin: String) async throws -> (Int?, Double) {
            try await offPool {
                let wire = try Wire(port: port)
                let start = ContinuousClock.now
                wire.send(begin)
                let writer = Thread {
                    for _ in 0..<100 {
                        usleep(100_000)
                        if !wire.send("x") { return }
                    }
                }
                writer.start()
                let status = wire.answer()?.status
                return (status, start.duration(to: .now).seconds)
            }
        }
        async let head = seconds("GET /prompt HTTP/1.1\r\nX: ")
        async let body = seconds("POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
        for (status, seconds) in try await [head, body] {
            #expect(status == 408)
            #expect(seconds > 0.9 && seconds < 6)
        }
        // A slow client does no harm to others meanwhile, and one that is only slow to answer is not cut off.
        let answer = try await server.post("/run", .object(["prompt": Graphs.slow(2)]))
        #expect(answer.status == 200)
        try await server.stop()
    }

    @Test func idleConnectionsEnd() async throws {
        let server = try await TestServer.start {
            $0.headSeconds = 1
            $0.idleSeconds = 1
        }
        let port = server.port
        let left = try await offPool { () -> Int in
            let wire = try Wire(port: port)
            wire.send("GET /prompt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = wire.answer()
            return wire.readToEnd().count
        }
        #expect(left == 0)
        try await server.stop()
    }

    /// Random bytes at the door.
    @Test func noise() async throws {
        let server = try await TestServer.start()
        let port = server.port
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let count = Int.random(in: 1...3000, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            try await offPool {
                let wire = try Wire(port: port)
                wire.send(bytes)
                shutdown(wire.file, Int32(SHUT_WR))
                _ = wire.readToEnd()
            }
        }
        #expect(try await server.get("/health").status == 200)
        try await server.stop()
    }
}
