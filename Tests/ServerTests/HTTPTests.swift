import Foundation
import JSON
import Testing

@testable import Server

/// What all requests share: paths, methods, headers, who may ask.
@Suite struct HTTPTests {
    @Test func routesAreThereBareAndBelowAPI() async throws {
        let server = try await TestServer.start()
        for path in ["/prompt", "/api/prompt", "/features", "/api/features", "/queue", "/api/history", "/health"] {
            let answer = try await server.get(path)
            #expect(answer.status == 200, "\(path)")
            #expect(answer.headers["content-type"] == "application/json; charset=utf-8", "\(path)")
        }
        let unknown = try await server.get("/nowhere")
        #expect(unknown.status == 404)
        #expect(unknown.body.isEmpty)
        #expect(unknown.headers["content-type"] == "application/octet-stream")
        #expect(try await server.get("/prompt/").status == 404)
        #expect(try await server.get("/api/api/prompt").status == 404)
        let method = try await server.request("DELETE", "/prompt")
        #expect(method.status == 405)
        #expect(method.headers["allow"] == "GET,HEAD,POST")
        let head = try await server.request("HEAD", "/prompt")
        #expect(head.status == 200)
        #expect(head.headers["content-length"] == String(try await server.get("/prompt").body.count))
        #expect(try await server.request("OPTIONS", "/nowhere").status == 200)
        try await server.stop()
    }

    @Test func aConnectionServesManyRequests() async throws {
        let server = try await TestServer.start()
        let port = server.port
        let statuses = try await offPool { () -> [Int?] in
            let wire = try Wire(port: port)
            var statuses: [Int?] = []
            for _ in 0..<20 {
                wire.send("GET /prompt HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
                statuses.append(wire.answer()?.status)
            }
            // Several at once, and one with a body that nobody reads.
            wire.send(
                "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /nowhere HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Length: 5\r\n\r\nhelloGET /features HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in 0..<3 { statuses.append(wire.answer()?.status) }
            return statuses
        }
        #expect(statuses == Array(repeating: 200, count: 20) + [200, 404, 200])
        try await server.stop()
    }

    @Test func originsAndHostsAreChecked() async throws {
        let server = try await TestServer.start { $0.allowedHosts = ["proxy.example"] }
        let port = server.port
        func status(_ host: String, _ origin: String? = nil) async throws -> Int {
            var headers = ["Host": host]
            headers["Origin"] = origin
            return try await server.request("POST", "/queue", headers: headers, body: Array("{}".utf8)).status
        }
        #expect(try await status("127.0.0.1:\(port)") == 200)
        #expect(try await status("localhost:\(port)") == 200)
        #expect(try await status("[::1]:\(port)") == 200)
        #expect(try await status("127.0.0.1:\(port)", "http://127.0.0.1:\(port)") == 200)
        #expect(try await status("localhost:\(port)", "http://LOCALHOST:\(port)") == 200)
        for origin in [
            "null", "http://evil.example", "http://127.0.0.1:1", "http://localhost:\(port)", "http://127.0.0.1",
            "file://", "", "http://127.0.0.1:\(port)@evil.example", "chrome-extension://x",
        ] {
            #expect(try await status("127.0.0.1:\(port)", origin) == 403, "\(origin)")
        }
        // Somebody else's name for this machine.
        #expect(try await status("evil.example", "http://evil.example") == 403)
        #expect(try await status("evil.example:\(port)") == 403)
        #expect(try await status("127.0.0.1.evil.example") == 403)
        // A proxy that was named.
        #expect(try await status("proxy.example", "https://proxy.example") == 200)
        #expect(try await status("127.0.0.1:\(port)", "https://proxy.example") == 200)
        try await server.stop()
    }

    @Test func otherOriginsAreLetInOnRequest() async throws {
        let server = try await TestServer.start { $0.corsOrigin = "*" }
        let answer = try await server.request(
            "OPTIONS", "/prompt", headers: ["Origin": "http://evil.example", "Host": "x"])
        #expect(answer.status == 200)
        #expect(answer.headers["access-control-allow-origin"] == "*")
        #expect(answer.headers["access-control-allow-credentials"] == "true")
        #expect(answer.headers["access-control-allow-headers"] == "Content-Type, Authorization")
        #expect(answer.headers["access-control-allow-methods"]?.contains("POST, GET, DELETE, PUT, OPTIONS") == true)
        try await server.stop()
    }

    @Test func theTokenIsAskedFor() async throws {
        let server = try await TestServer.start { $0.token = "a-long-secret" }
        let port = server.port
        func status(_ path: String, _ headers: [String: String] = [:]) async throws -> Int {
            try await server.request("GET", path, headers: headers).status
        }
        #expect(try await status("/prompt") == 401)
        #expect(try await status("/nowhere") == 401)
        #expect(try await status("/metrics") == 401)
        #expect(try await status("/health") == 200)
        #expect(try await status("/prompt", ["Authorization": "Bearer wrong"]) == 401)
        #expect(try await status("/prompt", ["Authorization": "Bearer a-long-secre"]) == 401)
        #expect(try await status("/prompt", ["Authorization": "Bearer a-long-secret"]) == 200)
        #expect(try await status("/prompt", ["Cookie": "x=1; graphrun_token=a-long-secret"]) == 200)
        let opened = try await server.request("GET", "/prompt?token=a-long-secret")
        #expect(opened.status == 200)
        #expect(opened.headers["set-cookie"]?.hasPrefix("graphrun_token=a-long-secret; ") == true)
        #expect(opened.headers["set-cookie"]?.contains("HttpOnly") == true)
        // Where no token is asked for, a wrong one is not answered with the right one.
        for (method, path) in [("GET", "/health?token=x"), ("GET", "/api/ready?token="), ("OPTIONS", "/?token=x")] {
            let answer = try await server.request(method, path)
            #expect(answer.headers["set-cookie"] == nil, "\(method) \(path)")
        }
        func socket(_ query: String, _ headers: String = "") async throws -> Int? {
            try await offPool { try Wire(port: port).upgrade("/ws\(query)", headers: headers, port: port)?.status }
        }
        #expect(try await socket("") == 401)
        #expect(try await socket("?token=wrong") == 401)
        #expect(try await socket("?token=a-long-secret") == 101)
        #expect(try await socket("", "Cookie: graphrun_token=a-long-secret\r\n") == 101)
        try await server.stop()
    }

    @Test func openAddressesNeedAToken() {
        func refusal(_ change: (inout ServeOptions) -> Void) -> String? {
            var options = ServeOptions()
            change(&options)
            do {
                try GraphServer.checkSafety(options)
                return nil
            } catch { return error.description }
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.addresses = ["localhost", "::1", "127.8.9.1"] } == nil)
        for address in ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.evil.example"] {
            #expect(refusal { $0.addresses = ["127.0.0.1", address] }?.contains("--token") == true)
            #expect(
                refusal {
                    $0.addresses = [address]; $0.token = "long enough".replacing(" ", with: "-")
                } == nil)
            #expect(
                refusal {
                    $0.addresses = [address]; $0.listensUnprotected = true
                } == nil)
        }
        #expect(refusal { $0.token = "short" } != nil)
        #expect(refusal { $0.token = "with blank ; and more" } != nil)
    }

    @Test func answersAreCompressedOnRequest() async throws {
        let server = try await TestServer.start { $0.compresses = true }
        _ = try await server.get("/object_info")
        let plain = try await server.get("/object_info")
        let packed = try await server.request("GET", "/object_info", headers: ["Accept-Encoding": "gzip"])
        #expect(packed.headers["content-encoding"] == "gzip")
        #expect(packed.body.count * 3 < plain.body.count)
        #expect(plain.headers["content-encoding"] == nil)
        try await server.stop()
    }

    @Test func nodeTypesAreListed() async throws {
        let server = try await TestServer.start()
        let all = try await server.get("/object_info")
        #expect(all.json["KSampler"]?["input"]?["required"]?["seed"] != nil)
        #expect(all.json["KSampler"]?["input"]?["required"]?["seed"]?[1]?["max"] == .uint(.max))
        let one = try await server.get("/api/object_info/KSampler")
        #expect(one.json == .object(["KSampler": all.json["KSampler"] ?? .null]))
        let none = try await server.get("/object_info/Nobody")
        #expect(none.status == 200 && none.json == .object(JSONObject()))
        // A new picture shows at once.
        try Data([1]).write(to: URL(fileURLWithPath: "\(server.folder)/input/new.png"))
        let names = try await server.get("/object_info").json["LoadImage"]?["input"]?["required"]?["image"]?[0]
        #expect(names == .array([.string("new.png")]))
        #expect(try await server.get("/models").json.arrayValue?.contains(.string("loras")) == true)
        try FileManager.default.createDirectory(
            atPath: "\(server.folder)/models/embeddings/sub", withIntermediateDirectories: true)
        for name in ["easy.negative.safetensors", "sub/other.pt", "no.txt"] {
            try Data([1]).write(to: URL(fileURLWithPath: "\(server.folder)/models/embeddings/\(name)"))
        }
        #expect(
            try await server.get("/embeddings").json == .array([.string("easy.negative"), .string("sub/other")]))
        #expect(
            try await server.get("/models/embeddings").json
                == .array([.string("easy.negative.safetensors"), .string("sub/other.pt")]))
        #expect(try await server.get("/models/nonsense").status == 404)
        #expect(try await server.get("/models/..%2F..").status == 404)
        let stats = try await server.get("/system_stats").json
        #expect(try #require(stats["system"]?["ram_total"]?.intValue) > 1 << 28)
        #expect(stats["devices"]?[0]?["type"] == .string("cpu"))
        try await server.stop()
    }

    @Test func countersAreShown() async throws {
        let server = try await TestServer.start()
        _ = try await server.record(try await server.queue(Graphs.saved()))
        _ = try await server.get("/nowhere")
        let text = try await server.get("/metrics").text
        for line in [
            "graphrun_prompts_total{outcome=\"success\"} 1", "graphrun_history_entries 1", "graphrun_queue_waiting 0",
            "graphrun_http_requests_total{route=\"/prompt\",status=\"200\"} 1",
            "graphrun_http_requests_total{route=\"/{path...}\",status=\"404\"} 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
        }
        try await server.stop()
    }

    @Test func theQueueIsBounded() async throws {
        let server = try await TestServer.start { $0.queueLimit = 2 }
        let socket = try await server.socket("a")
        let running = try await server.queue(Graphs.slow(30), client: "a")
        _ = try await socket.until { $0["data"]?["node"] == .string("2") }
        for size in 10..<12 { _ = try await server.queue(Graphs.saved(Int64(size))) }
        let full = try await server.post("/prompt", .object(["prompt": Graphs.saved(60)]))
        #expect(full.status == 429)
        #expect(full.json["error"]?["type"] == .string("queue_full"))
        #expect(full.headers["retry-after"] != nil)
        _ = try await server.post("/interrupt", .object(["prompt_id": .string(running)]))
        _ = try await server.record(running)
        for _ in 0..<100 {
            if try await server.post("/prompt", .object(["prompt": Graphs.saved(60)])).status == 200 { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await server.post("/prompt", .object(["prompt": Graphs.saved(61)])).status == 200)
        try await server.stop()
    }

    @Test func severalWorkersRunBesideEachOther() async throws {
        let server = try await TestServer.start { $0.workers = 3 }
        async let a = server.post("/run", .object(["prompt": Graphs.slow(3, 16)]))
        async let b = server.post("/run", .object(["prompt": Graphs.slow(3, 17)]))
        async let c = server.post("/run", .object(["prompt": Graphs.slow(3, 18)]))
        var most = 0
        for _ in 0..<500 where most < 3 {
            most = max(most, try await server.get("/queue").json["queue_running"]?.arrayValue?.count ?? 0)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(most == 3)
        let statuses = try await [a.status, b.status, c.status]
        #expect(statuses == [200, 200, 200])
        try await server.stop()
    }
}
