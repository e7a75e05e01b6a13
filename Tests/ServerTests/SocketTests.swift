import Foundation
import JSON
import NIOCore
import Testing

@testable import Server

@Suite struct SocketTests {
    @Test func flagsAreExchanged() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("x", flags: ["supports_preview_metadata": .bool(true)])
        let messages = try await socket.until { $0["type"] == .string("feature_flags") }
        #expect(messages.types == ["status", "feature_flags"])
        #expect(messages[1]["data"] == (try await server.get("/features").json))
        #expect(messages[1]["data"]?["supports_preview_metadata"] == .bool(true))
        try await server.stop()
    }

    @Test func clientsWithoutAnIDGetOne() async throws {
        let server = try await TestServer.start()
        let (first, second) = (try await server.socket(""), try await server.socket(""))
        let ids = [try await first.next(), try await second.next()].compactMap { $0["data"]?["sid"]?.stringValue }
        #expect(ids.count == 2 && ids[0] != ids[1] && ids[0].count == 36)
        try await server.stop()
    }

    /// A page that is loaded again goes on where it was.
    @Test func aClientThatConnectsAnewIsTold() async throws {
        let server = try await TestServer.start()
        let old = try await server.socket("tab")
        let id = try await server.queue(Graphs.slow(1.5), client: "tab")
        _ = try await old.until { $0["data"]?["node"] == .string("2") }
        let new = try await server.socket("tab")
        let greeting = try await new.until { $0["type"] == .string("executing") }
        #expect(greeting.types.first == "status")
        #expect(greeting.data("progress_state").last?["nodes"]?["2"]?["state"] == .string("running"))
        #expect(greeting.data("executing").last?["node"] == .string("2"))
        // The old socket ends after the new one was opened: the new one hears the rest all the same.
        try await offPool { old.wire.sendFrame(8, [3, 232]) }
        let messages = try await new.end(of: id)
        #expect(messages.types.contains("execution_success"))
        try await server.stop()
    }

    /// Who asks for it hears of the runs of all, also of one in the middle; who does not, hears of its own only.
    @Test func dashboardsHearOfAllRuns() async throws {
        let server = try await TestServer.start()
        let flag: JSONObject = [SocketHub.watchFlag: .bool(true)]
        let watcher = try await server.socket("dashboard", flags: flag)
        let other = try await server.socket("other", flags: [:])
        _ = try await watcher.until { $0["type"] == .string("feature_flags") }
        _ = try await other.until { $0["type"] == .string("feature_flags") }
        // Of a client that is away, and of none.
        let first = try await server.queue(Graphs.saved(), client: "away")
        let messages = try await watcher.end(of: first)
        for type in ["execution_start", "progress_state", "executing", "executed", "execution_success"] {
            #expect(messages.types.contains(type), "\(type)")
        }
        let second = try await server.queue(Graphs.slow(2))
        _ = try await watcher.until { $0["data"]?["node"] == .string("2") }
        let late = try await server.socket("late", flags: flag)
        let present = try await late.until { $0["type"] == .string("executing") }
        #expect(present.data("executing").last?["prompt_id"] == .string(second))
        _ = try await late.end(of: second)
        let own = try await server.queue(Graphs.saved(50), client: "other")
        let heard = try await other.end(of: own)
        #expect(heard.allSatisfy { ($0["data"]?["prompt_id"]?.stringValue ?? own) == own })
        try await server.stop()
    }

    @Test func previewsHaveTheFormThatTheClientTakes() async throws {
        let server = try await TestServer.start()
        let (plain, rich) = (
            try await server.socket("plain"),
            try await server.socket("rich", flags: ["supports_preview_metadata": .bool(true)])
        )
        _ = try await plain.next()
        _ = try await rich.until { $0["type"] == .string("feature_flags") }
        let picture = ByteBuffer(bytes: [0xFF, 0xD8, 1, 2, 3])
        for client in ["plain", "rich"] {
            RunAudience(clientID: client, sockets: server.server.context.sockets).sendPreview(
                picture, metadata: ["node_id": .string("7"), "image_type": .string("image/jpeg")],
                slot: .preview(prompt: "p", node: "7"))
        }
        let first = try await offPool { plain.wire.frame() }
        #expect(first == .binary([0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 0xD8, 1, 2, 3]))
        guard case .binary(let second)? = try await offPool({ rich.wire.frame() }) else {
            Issue.record("no binary frame")
            return
        }
        #expect(Array(second[0..<4]) == [0, 0, 0, 4])
        let length = second[4..<8].reduce(0) { $0 << 8 | Int($1) }
        let metadata = try JSON(parsing: second[8..<8 + length])
        #expect(metadata["node_id"] == .string("7"))
        #expect(Array(second[(8 + length)...]) == [0xFF, 0xD8, 1, 2, 3])
        try await server.stop()
    }

    /// Progress for a client that does not read is merged, other messages all arrive, and nobody else waits.
    @Test func slowClientsGetEveryStateAndTheLatestProgress() async throws {
        let server = try await TestServer.start()
        let port = server.port
        let slow = try await offPool { () -> TestSocket in
            let wire = try Wire(port: port, receiveBuffer: 4096)
            guard wire.upgrade("/ws?clientId=slow", port: port)?.status == 101 else { throw WireError("no upgrade") }
            return TestSocket(wire)
        }
        let hub = server.server.context.sockets
        let padding = String(repeating: "x", count: 2000)
        let count = 5000
        for index in 0..<count {
            hub.send(
                SocketMessage(
                    "progress", ["value": .int(Int64(index)), "padding": .string(padding)],
                    slot: .progress(prompt: "p", node: "1")), to: "slow")
            if index % 100 == 0 { hub.send(SocketMessage("executed", ["node": .int(Int64(index))]), to: "slow") }
        }
        let fast = try await server.socket("fast")
        _ = try await fast.next()
        hub.send(SocketMessage("end", JSONObject()), to: "slow")
        let messages = try await slow.until { $0["type"] == .string("end") }
        #expect(
            messages.data("executed").compactMap { $0["node"]?.intValue } == Array(stride(from: 0, to: count, by: 100)))
        let progress = messages.data("progress").compactMap { $0["value"]?.intValue }
        #expect(progress.last == count - 1)
        #expect(progress == progress.sorted())
        #expect(progress.count < count)
        #expect(try await server.get("/metrics").text.contains("graphrun_socket_messages_merged_total"))
        try await server.stop()
    }

    @Test func whoNeverReadsIsCutOff() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("deaf")
        let hub = server.server.context.sockets
        let padding = String(repeating: "x", count: 1 << 20)
        for _ in 0..<80 { hub.send(SocketMessage("executed", ["padding": .string(padding)]), to: "deaf") }
        for _ in 0..<200 where hub.isConnected("deaf") { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!hub.isConnected("deaf"))
        _ = socket
        try await server.stop()
    }

    @Test func clientsThatHaveGoneAreForgotten() async throws {
        let server = try await TestServer.start { $0.pingSeconds = 1 }
        let silent = try await server.socket("silent")
        let alive = try await server.socket("alive")
        let hub = server.server.context.sockets
        let reader = Task { try await offPool { while alive.wire.frame() != nil {} } }
        // Reads nothing and answers no ping.
        for _ in 0..<300 where hub.isConnected("silent") { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!hub.isConnected("silent"))
        #expect(hub.isConnected("alive"))
        _ = silent
        try await server.stop()
        _ = await reader.result
    }

    @Test(
        arguments: [
            // Unmasked, an unknown opcode, a continuation of nothing, a fragmented ping, reserved bits.
            [0x81, 0x02, 0x68, 0x69], [0x83, 0x80, 1, 2, 3, 4], [0x80, 0x80, 1, 2, 3, 4], [0x09, 0x80, 1, 2, 3, 4],
            [0xC1, 0x80, 1, 2, 3, 4],
            // A length of 2^63 - 1, and one just above the limit.
            [0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4],
            [0x81, 0xFF, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4],
        ] as [[UInt8]])
    func invalidFramesEndTheSocketOnly(frame: [UInt8]) async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("bad")
        let closed = try await offPool { () -> Bool in
            socket.wire.send(frame)
            while let answer = socket.wire.frame() {
                if case .close = answer { return true }
            }
            return true
        }
        #expect(closed)
        let good = try await server.socket("good")
        #expect(try await good.next()["type"] == .string("status"))
        try await server.stop()
    }

    @Test func messagesThatAreNotUnderstoodAreIgnored() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        try await offPool {
            for text in ["", "nonsense", "[]", #"{"type": 5}"#, String(repeating: "[", count: 60_000)] {
                socket.wire.sendFrame(1, Array(text.utf8))
            }
            socket.wire.sendFrame(2, [0, 1, 2])
            // In two parts, with a ping between them.
            socket.wire.sendFrame(1, Array(#"{"type": "feature_"#.utf8), final: false)
            socket.wire.sendFrame(9, [1])
            socket.wire.sendFrame(0, Array(#"flags", "data": {}}"#.utf8))
        }
        let messages = try await socket.until { $0["type"] == .string("feature_flags") }
        #expect(messages.types == ["status", "feature_flags"])
        try await server.stop()
    }

    @Test func plainRequestsForTheSocketAreRefused() async throws {
        let server = try await TestServer.start()
        #expect(try await server.get("/ws").status == 400)
        let port = server.port
        func status(_ path: String, _ headers: String) async throws -> Int? {
            try await offPool { try Wire(port: port).upgrade(path, headers: headers, port: port)?.status }
        }
        #expect(try await status("/api/ws", "") == 101)
        #expect(try await status("/elsewhere", "") == 404)
        #expect(try await status("/ws", "Origin: http://127.0.0.1:\(port)\r\n") == 101)
        #expect(try await status("/ws", "Origin: http://evil.example\r\n") == 403)
        #expect(try await status("/ws", "Origin: null\r\n") == 403)
        #expect(try await status("/ws?clientId=\(String(repeating: "x", count: 300))", "") == 400)
        try await server.stop()
    }

    @Test func digestsAreRight() {
        func hex(_ text: String) -> String { hexadecimal(SHA1.digest(Array(text.utf8))) }
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex(String(repeating: "a", count: 1000)) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
        #expect(Base64.encode(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(Base64.encode(Array("fooba".utf8)) == "Zm9vYmE=")
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        // RFC 4231, case 2.
        #expect(
            hexadecimal(HMAC.sha256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
