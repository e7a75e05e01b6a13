import Foundation
import JSON
import Testing

@testable import Server

/// What outlives a server.
@Suite struct DurabilityTests {
    @Test func whatWaitsIsRunByTheNextServer() async throws {
        let first = try await TestServer.start()
        let socket = try await first.socket("a")
        let done = try await first.queue(Graphs.saved(9))
        let record = try await first.record(done)
        let running = try await first.queue(Graphs.slow(60), client: "a")
        _ = try await socket.until {
            $0["data"]?["node"] == .string("2") && $0["data"]?["prompt_id"] == .string(running)
        }
        var waiting: [String] = []
        for size in 10..<13 { waiting.append(try await first.queue(Graphs.saved(Int64(size)))) }
        let deleted = try await first.queue(Graphs.saved(50))
        #expect(try await first.post("/queue", .object(["delete": .array([.string(deleted)])])).status == 200)
        // As good as killed: nothing of the prompt that runs is said to have ended.
        try await first.stop(removesFolder: false)

        let second = try await TestServer.start(in: first.folder)
        #expect(try await second.get("/history/\(done)").json[done] == record)
        #expect(try await second.get("/history/\(running)").json == .object(JSONObject()))
        let queue = try await second.get("/queue").json
        let all = (queue["queue_running"]?.arrayValue ?? []) + (queue["queue_pending"]?.arrayValue ?? [])
        #expect(all.map { $0[1] }.first == .string(running))
        #expect(!all.map { $0[1] }.contains(.string(deleted)))
        #expect(try await second.post("/interrupt", .object(["prompt_id": .string(running)])).status == 200)
        _ = try await second.record(running)
        for id in waiting { #expect(try await second.record(id)["status"]?["completed"] == .bool(true)) }
        // The counter goes on: the editor tells prompts apart by it.
        let next = try await second.post("/prompt", .object(["prompt": Graphs.saved(14)]))
        #expect(try #require(next.json["number"]?.intValue) > 4)
        let numbers = try await second.get("/history").json.objectValue?.compactMap { $0.value["prompt"]?[0]?.intValue }
        #expect(Set(numbers ?? []).count == numbers?.count)
        try await second.stop()
    }

    @Test func theHistoryIsBounded() async throws {
        let server = try await TestServer.start {
            $0.historyCount = 3
        }
        var ids: [String] = []
        for size in 0..<5 {
            ids.append(try await server.queue(Graphs.saved(Int64(8 + size))))
            _ = try await server.record(ids[size])
        }
        #expect(try await server.get("/history").json.objectValue?.keys == Array(ids.suffix(3)))
        try await server.stop()

        let small = try await TestServer.start { $0.historyBytes = 3000 }
        for size in 0..<8 { _ = try await small.record(try await small.queue(Graphs.saved(Int64(8 + size)))) }
        let history = try await small.get("/history").body.count
        #expect(history > 500 && history < 3300)
        try await small.stop()
    }

    @Test func aDamagedFileIsPutAside() async throws {
        let first = try await TestServer.start()
        try await first.stop(removesFolder: false)
        let file = "\(first.folder)/user/graphrun.sqlite"
        for ending in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + ending) }
        try Data((0..<20000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: URL(fileURLWithPath: file))
        let second = try await TestServer.start(in: first.folder)
        _ = try await second.record(try await second.queue(Graphs.saved()))
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(first.folder)/user")
        #expect(names.contains { $0.hasPrefix("graphrun.sqlite.damaged-") })
        try await second.stop()
    }

    /// Each has a queue of its own; what one leaves is taken over by the next that starts.
    @Test func serversOfOneFolder() async throws {
        let first = try await TestServer.start()
        let second = try await TestServer.start(in: first.folder)
        let socket = try await second.socket("a")
        let running = try await second.queue(Graphs.slow(60), client: "a")
        _ = try await socket.until { $0["data"]?["node"] == .string("2") }
        let waiting = try await second.queue(Graphs.saved(21))
        #expect(try await first.get("/queue").json["queue_running"] == .array([]))
        try await second.stop(removesFolder: false)
        try await first.stop(removesFolder: false)
        let third = try await TestServer.start(in: first.folder)
        #expect(try await third.post("/interrupt", .object(["prompt_id": .string(running)])).status == 200)
        #expect(try await third.record(waiting)["status"]?["completed"] == .bool(true))
        #expect(try await third.record(running)["status"]?["completed"] == .bool(false))
        try await third.stop()
    }

    @Test func aPromptThatTheServerDoesNotSurviveIsGivenUp() async throws {
        let server = try await TestServer.start()
        try await server.stop(removesFolder: false)
        var options = ServeOptions()
        options.userFolder = "\(server.folder)/user"
        do {
            let store = try PromptStore.open(options, ServerLog { _ in })
            let prompt = QueuedPrompt(
                number: .int(3), sequence: 0, id: "deadly", prompt: Graphs.saved(), extraData: JSONObject(),
                outputs: ["2"])
            #expect(try await store.add(prompt, nextNumber: 4) != nil)
            #expect(try await store.add(prompt, nextNumber: 5) == nil)
            for _ in 0..<5 { try await store.begin("deadly") }
        }
        let next = try await TestServer.start(in: server.folder)
        let record = try await next.record("deadly")
        #expect(record["status"]?["status_str"] == .string("error"))
        #expect(record.text().contains("not run again"))
        try await next.stop()
    }

    @Test func drainingFinishesWhatRuns() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        let running = try await server.queue(Graphs.slow(4), client: "a")
        _ = try await socket.until { $0["data"]?["node"] == .string("2") }
        let waiting = try await server.queue(Graphs.saved(20))
        server.server.drain()
        let refused = try await server.post("/prompt", .object(["prompt": Graphs.saved()]))
        #expect(refused.status == 503)
        #expect(refused.json["error"]?["type"] == .string("server_ending"))
        #expect(refused.headers["retry-after"] != nil)
        #expect(try await server.get("/ready").status == 503)
        #expect(try await server.get("/health").status == 200)
        let messages = try await socket.end(of: running)
        #expect(messages.types.contains("execution_success"))
        try await server.ended()
        let next = try await TestServer.start(in: server.folder)
        #expect(try await next.get("/history/\(running)").json[running]?["status"]?["completed"] == .bool(true))
        #expect(try await next.record(waiting)["status"]?["completed"] == .bool(true))
        try await next.stop()
    }
}
