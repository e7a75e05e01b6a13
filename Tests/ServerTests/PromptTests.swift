import Foundation
import JSON
import Testing

@testable import Server

/// POST /prompt to the history, as clients go through it.
@Suite struct PromptTests {
    @Test func picturesWithoutTheirWorkflow() async throws {
        for embeds in [true, false] {
            let server = try await TestServer.start { $0.embedsWorkflow = embeds }
            _ = try await server.record(try await server.queue(Graphs.saved()))
            let file = try #require(FileManager.default.contents(atPath: "\(server.folder)/output/test_00001_.png"))
            #expect((file.range(of: Data("tEXtprompt".utf8)) != nil) == embeds)
            try await server.stop()
        }
    }

    @Test func aPromptRunsAndItsMessagesComeInOrder() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        let greeting = try await socket.next()
        #expect(greeting["type"] == .string("status"))
        #expect(greeting["data"]?["sid"] == .string("a"))
        #expect(greeting["data"]?["status"]?["exec_info"]?["queue_remaining"] == .int(0))

        let id = try await server.queue(Graphs.saved(), client: "a")
        let messages = try await socket.end(of: id)
        let order = messages.types.filter { $0 != "status" && $0 != "progress_state" }
        #expect(
            order == [
                "execution_start", "execution_cached", "executing", "executing", "executed", "execution_success",
                "executing",
            ])
        #expect(messages.data("executing").map { $0["node"] } == [.string("1"), .string("2"), .null])
        #expect(messages.data("executing").allSatisfy { $0["prompt_id"] == .string(id) })
        let states = try #require(messages.data("progress_state").last?["nodes"])
        #expect(states["1"]?["state"] == .string("finished"))
        #expect(states["2"]?["state"] == .string("finished"))
        #expect(states["2"]?["display_node_id"] == .string("2"))
        #expect(states["2"]?["parent_node_id"]?.isNull == true)

        // The history is there when the last message is.
        let record = try #require(try await server.get("/history/\(id)").json[id])
        #expect(record["status"]?["status_str"] == .string("success"))
        #expect(record["status"]?["completed"] == .bool(true))
        let kept = record["status"]?["messages"]?.arrayValue?.compactMap { $0[0]?.stringValue }
        #expect(kept == ["execution_start", "execution_cached", "execution_success"])
        #expect(record["prompt"]?[1] == .string(id))
        #expect(record["prompt"]?[4] == .array([.string("2")]))
        #expect(record["prompt"]?[3]?["client_id"] == .string("a"))
        #expect(record["meta"]?["2"]?["node_id"] == .string("2"))
        let file = try #require(record["outputs"]?["2"]?["images"]?[0]?["filename"]?.stringValue)
        #expect(FileManager.default.fileExists(atPath: "\(server.folder)/output/\(file)"))

        // Once more: everything is cached, and the output says so.
        let again = try await server.queue(Graphs.saved(), client: "a")
        let second = try await socket.end(of: again)
        #expect(second.data("execution_cached").first?["nodes"] == .array([.string("1"), .string("2")]))
        #expect(second.data("executing").count == 1)
        #expect(second.data("executed").first?["output"] == record["outputs"]?["2"])
        #expect(try await server.record(again)["outputs"] == record["outputs"])
        try await server.stop()
    }

    @Test func onlyTheSubmitterHearsOfARun() async throws {
        let server = try await TestServer.start()
        let (own, other) = (try await server.socket("own"), try await server.socket("other"))
        let id = try await server.queue(Graphs.saved(48), client: "own")
        _ = try await own.end(of: id)
        let marker = try await server.queue(Graphs.saved(40), client: "other")
        let heard = try await other.end(of: marker)
        #expect(heard.compactMap { $0["data"]?["prompt_id"]?.stringValue }.allSatisfy { $0 == marker })
        #expect(heard.types.contains("status"))
        try await server.stop()
    }

    @Test func faultsHaveTheReferencesStructure() async throws {
        let server = try await TestServer.start()
        func refused(_ body: String) async throws -> JSON {
            let answer = try await server.request("POST", "/prompt", body: Array(body.utf8))
            #expect(answer.status == 400, "\(body): \(answer.text)")
            #expect(answer.json["node_errors"]?.objectValue != nil, "\(body): \(answer.text)")
            return answer.json["error"] ?? .null
        }
        #expect(try await refused("{}")["type"] == .string("no_prompt"))
        #expect(try await refused(#"{"prompt": {}}"#)["type"] == .string("prompt_no_outputs"))
        #expect(try await refused(#"{"prompt": []}"#)["type"] == .string("prompt_no_outputs"))
        for body in [
            "", "nonsense", "[]", "7", #"{"prompt": null}"#, #"{"prompt": {"1": 5}}"#, #"{"prompt": {"1": {}}}"#,
            #"{"prompt": 5}"#, #"{"prompt": {}, "number": "x"}"#, #"{"prompt": {}, "extra_data": 1}"#,
            #"{"prompt": {}, "partial_execution_targets": 1}"#, #"{"prompt": {"1": {"class_type": 1}}}"#,
            String(repeating: "[", count: 100_000), #"{"prompt": \u0000}"#,
        ] {
            #expect(try await refused(body)["type"]?.stringValue != nil)
        }
        let missing = try await refused(#"{"prompt": {"1": {"inputs": {}}}}"#)
        #expect(missing["type"] == .string("invalid_prompt"))
        #expect(
            missing["message"] == .string("Cannot execute because a node is missing the class_type property."))
        #expect(missing["details"] == .string("Node ID '#1'"))
        let unknown = try await refused(#"{"prompt": {"1": {"class_type": "Nobody", "inputs": {}}}}"#)
        #expect(unknown["message"] == .string("Cannot execute because node Nobody does not exist."))
        let none = try await refused(
            JSON.object(["prompt": Graphs.saved(), "partial_execution_targets": .array([])]).text())
        #expect(none["type"] == .string("prompt_no_outputs"))

        // A part that cannot run is left out; the rest runs.
        var nodes = try #require(Graphs.saved(24).objectValue)
        nodes["9"] = Graphs.node("SaveImage", ["images": Graphs.link("8"), "filename_prefix": .string("x")])
        let answer = try await server.post("/prompt", .object(["prompt": .object(nodes)]))
        #expect(answer.status == 200)
        #expect(answer.json["node_errors"]?["9"]?["dependent_outputs"] == .array([.string("9")]))
        let record = try await server.record(try #require(answer.json["prompt_id"]?.stringValue))
        #expect(record["prompt"]?[4] == .array([.string("2")]))
        try await server.stop()
    }

    @Test func aFailingNodeIsReported() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        let id = try await server.queue(Graphs.failing, client: "a")
        let messages = try await socket.end(of: id)
        let failure = try #require(messages.data("execution_error").first)
        #expect(failure["node_id"] == .string("2"))
        #expect(failure["node_type"] == .string("TestSyncError"))
        #expect(failure["exception_message"]?.stringValue?.contains("Intentional sync execution error") == true)
        #expect(failure["traceback"]?.arrayValue != nil)
        #expect(failure["current_outputs"]?.arrayValue != nil)
        #expect(failure["current_inputs"]?.objectValue != nil)
        let record = try await server.record(id)
        #expect(record["status"]?["status_str"] == .string("error"))
        #expect(record["status"]?["completed"] == .bool(false))
        #expect(record["status"]?["messages"]?.arrayValue?.last?[1] == failure)
        try await server.stop()
    }

    @Test func whatRunsCanBeInterrupted() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        let id = try await server.queue(Graphs.slow(30), client: "a")
        _ = try await socket.until { $0["data"]?["node"] == .string("2") }
        // Of another prompt: nothing happens.
        #expect(try await server.post("/interrupt", .object(["prompt_id": .string("other")])).status == 200)
        #expect(try await server.get("/queue").json["queue_running"]?.arrayValue?.count == 1)
        let start = ContinuousClock.now
        #expect(try await server.post("/interrupt", .object(["prompt_id": .string(id)])).status == 200)
        let messages = try await socket.end(of: id)
        #expect(start.duration(to: .now) < .seconds(2))
        let interrupted = try #require(messages.data("execution_interrupted").first)
        #expect(interrupted["node_id"] == .string("2"))
        #expect(interrupted["executed"]?.arrayValue?.contains(.string("1")) == true)
        let record = try await server.record(id)
        #expect(record["status"]?["status_str"] == .string("error"))
        #expect(record["status"]?["completed"] == .bool(false))
        // The next one runs as if nothing had been.
        let next = try await server.queue(Graphs.saved(16), client: "a")
        #expect(try await server.record(next)["status"]?["completed"] == .bool(true))
        // Without a body: whatever runs.
        let last = try await server.queue(Graphs.slow(30, 33), client: "a")
        _ = try await socket.until {
            $0["data"]?["node"] == .string("2") && $0["data"]?["prompt_id"] == .string(last)
        }
        #expect(try await server.request("POST", "/interrupt").status == 200)
        #expect(try await server.record(last)["status"]?["completed"] == .bool(false))
        try await server.stop()
    }

    @Test func theQueueIsShownAndChanged() async throws {
        let server = try await TestServer.start()
        let socket = try await server.socket("a")
        let first = try await server.queue(Graphs.slow(30), client: "a")
        _ = try await socket.until { $0["data"]?["node"] == .string("2") }
        let second = try await server.queue(Graphs.saved(17))
        let third = try await server.queue(Graphs.saved(18))
        let front = try await server.queue(Graphs.saved(19), ["front": .bool(true)])
        #expect(try await server.get("/prompt").json["exec_info"]?["queue_remaining"] == .int(4))
        var queue = try await server.get("/queue").json
        #expect(queue["queue_running"]?[0]?[1] == .string(first))
        #expect(queue["queue_running"]?[0]?.arrayValue?.count == 5)
        #expect(
            queue["queue_pending"]?.arrayValue?.map { $0[1] } == [.string(front), .string(second), .string(third)])
        #expect(queue["queue_pending"]?[0]?[0] == .int(-3))
        let deletion: JSON = .object(["delete": .array([.string(second), .string("unknown"), .string(first)])])
        #expect(try await server.post("/queue", deletion).status == 200)
        queue = try await server.get("/queue").json
        #expect(queue["queue_pending"]?.arrayValue?.map { $0[1] } == [.string(front), .string(third)])
        #expect(queue["queue_running"]?.arrayValue?.count == 1)
        #expect(try await server.post("/queue", .object(["clear": .bool(true)])).status == 200)
        #expect(try await server.get("/queue").json["queue_pending"] == .array([]))
        // What was deleted leaves nothing.
        #expect(try await server.get("/history/\(second)").json == .object(JSONObject()))
        _ = try await server.request("POST", "/interrupt")
        _ = try await server.record(first)
        try await server.stop()
    }

    @Test func theHistoryIsReadInParts() async throws {
        let server = try await TestServer.start()
        var ids: [String] = []
        for size in 0..<5 {
            let id = try await server.queue(Graphs.saved(Int64(8 + size)))
            _ = try await server.record(id)
            ids.append(id)
        }
        func keys(_ query: String) async throws -> [String] {
            try await server.get("/history\(query)").json.objectValue?.keys ?? ["?"]
        }
        #expect(try await keys("") == ids)
        #expect(try await keys("?max_items=2") == Array(ids.suffix(2)))
        #expect(try await keys("?max_items=2&offset=0") == Array(ids.prefix(2)))
        #expect(try await keys("?max_items=2&offset=2") == Array(ids[2..<4]))
        #expect(try await keys("?offset=3") == Array(ids.suffix(2)))
        #expect(try await keys("?offset=5") == [])
        #expect(try await keys("?offset=100&max_items=3") == [])
        #expect(try await keys("?max_items=0") == [])
        #expect(try await server.get("/history?max_items=x").status == 400)
        #expect(try await server.get("/api/history?max_items=1").json.objectValue?.keys == [ids[4]])
        #expect(try await server.post("/history", .object(["delete": .array([.string(ids[1])])])).status == 200)
        #expect(try await keys("") == [ids[0], ids[2], ids[3], ids[4]])
        #expect(try await server.post("/history", .object(["clear": .bool(true)])).status == 200)
        #expect(try await keys("") == [])
        // Numbers go on.
        let answer = try await server.post("/prompt", .object(["prompt": Graphs.saved(8)]))
        #expect(answer.json["number"] == .int(5))
        try await server.stop()
    }

    @Test func bodiesNeedNoContentType() async throws {
        let server = try await TestServer.start()
        let body = JSON.object(["prompt": Graphs.saved()]).text()
        for type in ["application/x-www-form-urlencoded", "text/plain", ""] {
            let answer = try await server.request(
                "POST", "/api/prompt", headers: type.isEmpty ? [:] : ["Content-Type": type], body: Array(body.utf8))
            #expect(answer.status == 200, "\(type): \(answer.text)")
        }
        try await server.stop()
    }

    @Test func idsOfClientsAreTakenOnce() async throws {
        let server = try await TestServer.start()
        #expect(try await server.queue(Graphs.slow(0.3), ["prompt_id": .string("mine/../x")]) == "mine/../x")
        let body: JSON = .object(["prompt": Graphs.saved(), "prompt_id": .string("mine/../x")])
        for _ in 0..<2 {
            let again = try await server.post("/prompt", body)
            #expect(again.status == 400)
            #expect(again.json["error"]?["type"] == .string("duplicate_prompt_id"))
            for _ in 0..<100 where try await server.get("/prompt").json["exec_info"]?["queue_remaining"] != .int(0) {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(try await server.get("/history/mine%2F..%2Fx").json["mine/../x"] != nil)
        for bad in ["", "\u{1}", String(repeating: "x", count: 300)] {
            let answer = try await server.post(
                "/prompt", .object(["prompt": Graphs.saved(), "prompt_id": .string(bad)]))
            #expect(answer.status == 400)
        }
        try await server.stop()
    }

    @Test func secretsAreNotKept() async throws {
        let server = try await TestServer.start()
        let extra: JSON = .object(["auth_token_comfy_org": .string("secret"), "x": .int(1)])
        let id = try await server.queue(Graphs.saved(), ["extra_data": extra])
        let record = try await server.record(id)
        #expect(record["prompt"]?[3]?["x"] == .int(1))
        #expect(!record.text().contains("secret"))
        try await server.stop()
    }

    @Test func runAnswersWithTheOutputs() async throws {
        let server = try await TestServer.start()
        let done = try await server.post("/run", .object(["prompt": Graphs.saved()]))
        #expect(done.status == 200)
        #expect(done.json["status"] == .string("success"))
        #expect(done.json["outputs"]?["2"]?["images"]?[0]?["filename"]?.stringValue != nil)
        let failed = try await server.post("/run", .object(["prompt": Graphs.failing]))
        #expect(failed.status == 422)
        #expect(failed.json["messages"]?.arrayValue?.last?[0] == .string("execution_error"))
        let late = try await server.post("/run?timeout=0.1", .object(["prompt": Graphs.slow(1)]))
        #expect(late.status == 202)
        let id = try #require(late.json["prompt_id"]?.stringValue)
        #expect(try await server.record(id)["status"]?["completed"] == .bool(true))
        let refused = try await server.post("/run", .object(["prompt": .object(JSONObject())]))
        #expect(refused.status == 400)
        #expect(try await server.post("/run?timeout=x", .object(["prompt": Graphs.saved()])).status == 400)
        try await server.stop()
    }

    @Test func memoryIsFreed() async throws {
        let server = try await TestServer.start()
        let id = try await server.queue(Graphs.saved())
        _ = try await server.record(id)
        let engine = try await server.server.context.nodes.engine
        #expect(engine.cache.statistics.entries > 0)
        #expect(try await server.post("/free", .object(["free_memory": .bool(true)])).status == 200)
        #expect(engine.cache.statistics.entries == 0)
        #expect(try await server.request("POST", "/free").status == 400)
        try await server.stop()
    }
}
