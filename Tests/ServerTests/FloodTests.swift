import Foundation
import JSON
import Testing

@testable import Server

/// Clients that send more than anybody asked for, or never read: what they can take has an end.
@Suite struct FloodTests {
    /// Sends a chunk over and over.
    ///
    /// - Returns: bytes sent until the server took no more; `nil` when it took all.
    private func flood(_ wire: Wire, _ chunk: [UInt8], upTo limit: Int) -> Int? {
        var time = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(wire.file, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var sent = 0
        while sent < limit {
            guard wire.send(chunk) else { return sent }
            sent += chunk.count
        }
        return nil
    }

    @Test(arguments: [
        "GET /prompt HTTP/1.1\r\nHost: localhost\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ])
    func afterAnUpgradeThatIsNotTaken(head: String) async throws {
        let server = try await TestServer.start()
        let port = server.port
        let sent = try await offPool { () -> Int? in
            let wire = try Wire(port: port)
            wire.send(head)
            return flood(wire, Array(repeating: 0x41, count: 65536), upTo: 256 << 20)
        }
        #expect(sent != nil)
        #expect(try await server.get("/health").status == 200)
        try await server.stop()
    }

    /// Pings whose answers nobody reads: the server stops listening, and ends all the same when it is told to.
    @Test func pingsWithoutEnd() async throws {
        let server = try await TestServer.start()
        let port = server.port
        let wire = try Wire(port: port, receiveBuffer: 4096)
        let sent = try await offPool { () -> Int? in
            guard wire.upgrade("/ws?clientId=flood", port: port)?.status == 101 else { throw WireError("no upgrade") }
            let ping: [UInt8] = [0x89, 0x80 | 125, 0, 0, 0, 0] + Array(repeating: 0x41, count: 125)
            return flood(wire, Array(repeatElement(ping, count: 500).joined()), upTo: 512 << 20)
        }
        #expect(sent != nil)
        #expect(try await server.get("/health").status == 200)
        try await server.stop()
    }

    /// A small text becomes a large tree: its values are counted.
    @Test func bodiesOfManyValues() async throws {
        let server = try await TestServer.start()
        let objects = Array(("{\"prompt\": [" + String(repeating: "{},", count: 600_000) + "{}]}").utf8)
        let refused = try await server.request("POST", "/prompt", body: objects)
        #expect(refused.status == 400)
        #expect(refused.json["error"]?["message"]?.stringValue != nil)
        #expect(refused.text.contains("more values"))
        // Where ids are named, less is enough.
        let names = Array(("{\"delete\": [" + String(repeating: "1,", count: 200_000) + "1]}").utf8)
        #expect(try await server.request("POST", "/queue", body: names).status == 400)
        let large = Array(repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
        for path in ["/queue", "/history", "/free", "/users"] {
            #expect(try await server.request("POST", path, body: large).status == 413, "\(path)")
        }
        try await server.stop()
    }

    /// A hundred bodies at once have no more room than a few.
    @Test func bodiesShareTheirRoom() throws {
        let budget = BodyBudget(limit: 100)
        let first = budget.share()
        try first.add(60)
        do {
            let second = budget.share()
            try second.add(40)
            #expect(throws: HTTPFailure.self) { try second.add(1) }
        }
        try first.add(40)
        #expect(throws: HTTPFailure.self) { try budget.share().add(1) }
        #expect(first.count == 100)
    }

    /// What one request says must not keep everybody from their settings.
    @Test func settingsStayReadable() async throws {
        let server = try await TestServer.start()
        #expect(try await server.request("POST", "/settings/kept", body: Array("5".utf8)).status == 200)
        #expect(try await server.request("POST", "/settings/%00", body: Array("1".utf8)).status == 400)
        let deep = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(try await server.request("POST", "/settings/deep", body: Array(deep.utf8)).status == 400)
        #expect(try await server.get("/settings").json == .object(["kept": .int(5)]))
        try await server.stop()
    }

    /// Numbers of clients order the queue; they do not move the counter.
    @Test func numbersOfClientsAreBounded() async throws {
        let first = try await TestServer.start()
        for number in [9.3e18, -9.3e18, 1e300, 9_007_199_254_740_994] {
            let body: JSON = .object(["prompt": Graphs.saved(), "number": .double(number)])
            #expect(try await first.post("/prompt", body).status == 400, "\(number)")
        }
        let large: JSON = .object(["prompt": Graphs.saved(), "number": .double(9_007_199_254_740_992)])
        let id = try #require(try await first.post("/prompt", large).json["prompt_id"]?.stringValue)
        _ = try await first.record(id)
        let next = try #require(
            try await first.post("/prompt", .object(["prompt": Graphs.saved(40)])).json["number"]?.intValue)
        #expect(next < 10)
        try await first.stop(removesFolder: false)
        let second = try await TestServer.start(in: first.folder)
        let after = try #require(
            try await second.post("/prompt", .object(["prompt": Graphs.saved(41)])).json["number"]?.intValue)
        #expect(after > next && after < 20)
        try await second.stop()
    }

    /// A second `/run` with the same id is refused, and the first gets its answer.
    @Test func anIdInUse() async throws {
        let server = try await TestServer.start()
        let body: JSON = .object(["prompt": Graphs.slow(2), "prompt_id": .string("same")])
        async let first = server.post("/run", body)
        while try await server.get("/queue").json["queue_running"]?.arrayValue?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await server.post("/run", body).status == 400)
        let answer = try await first
        #expect(answer.status == 200)
        #expect(answer.json["status"] == .string("success"))
        try await server.stop()
    }

    /// Who waits for a prompt that the next server will run is told so, and does not keep this one from ending.
    @Test func waitingForAPromptThatIsLeft() async throws {
        let server = try await TestServer.start()
        async let running = server.post("/run", .object(["prompt": Graphs.slow(3, 16)]))
        while try await server.get("/queue").json["queue_running"]?.arrayValue?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(20))
        }
        async let waiting = server.post("/run", .object(["prompt": Graphs.saved(17), "prompt_id": .string("left")]))
        while try await server.get("/queue").json["queue_pending"]?.arrayValue?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(20))
        }
        server.server.drain()
        let (ended, left) = try await (running, waiting)
        #expect(ended.status == 200)
        #expect(left.status == 503)
        #expect(left.json["error"]?["extra_info"]?["prompt_id"] == .string("left"))
        try await server.ended()
        let next = try await TestServer.start(in: server.folder)
        #expect(try await next.record("left")["status"]?["completed"] == .bool(true))
        try await next.stop()
    }
}
