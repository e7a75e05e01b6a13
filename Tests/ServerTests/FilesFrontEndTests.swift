import Foundation
import JSON
import Testing

@testable import Server

@Suite struct FilesFrontEndTests {
    private func withFrontEnd(
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "graphrun-front-end-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (path, text) in [
            ("static/index.html", "<!doctype html><title>editor</title>"), ("static/assets/a.js", "let a"),
            ("static/assets/lib/m.mjs", "export {}"), ("static/assets/s.css", "a{}"), ("static/assets/i.svg", "<svg/>"),
            ("static/assets/f.woff2", "f"), ("static/assets/p.png", "p"), ("static/assets/d.json", "{}"),
            ("static/extensions/core/x.js", "x"), ("static/extensions/core/deep/y.js", "y"),
            ("static/extensions/core/style.css", "z"), ("static/docs/KSampler/en.md", "# x"),
            ("static/templates/index.json", "[]"), ("static/.packages", "hidden"), ("secret.txt", "secret"),
        ] {
            let url = URL(fileURLWithPath: folder + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/static/out", withDestinationPath: "../secret.txt")
        // The folder around the static files is understood.
        try await withServer({ $0.frontEndFolder = folder }, body)
    }

    @Test func filesOfTheEditor() async throws {
        try await withFrontEnd { server in
            let index = try await server.get("/")
            #expect(index.text.contains("editor") && index.headers["content-type"] == "text/html; charset=utf-8")
            #expect(index.headers["cache-control"] == "no-cache" && index.headers["expires"] == "0")
            for (path, type, cache) in [
                ("assets/a.js", "text/javascript; charset=utf-8", "no-cache"),
                ("assets/lib/m.mjs", "text/javascript; charset=utf-8", nil),
                ("assets/s.css", "text/css; charset=utf-8", "no-cache"), ("assets/i.svg", "image/svg+xml", nil),
                ("assets/f.woff2", "font/woff2", nil), ("assets/p.png", "image/png", "public, max-age=86400"),
                ("assets/d.json", "application/json; charset=utf-8", nil),
                ("templates/index.json", "application/json; charset=utf-8", "no-cache"),
                ("docs/KSampler/en.md", "text/markdown; charset=utf-8", nil),
                ("extensions/core/x.js", "text/javascript; charset=utf-8", "no-cache"),
            ] as [(String, String, String?)] {
                let answer = try await server.get("/" + path)
                #expect(answer.status == 200 && answer.headers["content-type"] == type, "\(path)")
                #expect(answer.headers["cache-control"] == cache, "\(path)")
                let tag = try #require(answer.headers["etag"])
                #expect(try await server.request("GET", "/" + path, headers: ["If-None-Match": tag]).status == 304)
            }
            #expect(try await server.request("GET", "/assets/a.js", headers: ["Range": "bytes=0-2"]).text == "let")
            #expect(
                try await server.get("/api/extensions").json
                    == .array([
                        .string("/extensions/core/deep/y.js"), .string("/extensions/core/x.js"),
                    ]))
            for (path, status) in [
                ("/nothing", 404), ("/assets", 404), ("/assets/", 404), ("/assets/a.js/", 404), ("//assets/a.js", 404),
                ("/docs/KSampler", 403), ("/docs", 403), ("/../secret.txt", 404), ("/..%2Fsecret.txt", 404),
                ("/%2e%2e/secret.txt", 404), ("/assets/..%2F..%2F..%2Fsecret.txt", 404), ("/out", 404),
                ("/.packages", 404),
                ("/assets/../assets/a.js", 404), ("/a%00", 404), ("/%", 400), ("/api/assets/a.js", 404),
            ] {
                let answer = try await server.get(path)
                #expect(answer.status == status, "\(path) gave \(answer.status)")
                #expect(!answer.text.contains("secret"))
            }
            #expect(try await server.request("POST", "/assets/a.js").status == 404)
        }
    }

    /// The editor does not start without these; what cannot be run is refused all the same.
    @Test func nodesThatTheEditorNeeds() async throws {
        let names = ["UpscaleModelLoader", "StyleModelLoader", "GLIGENLoader", "ImageOnlyCheckpointLoader"]
        try await withFrontEnd { server in
            let nodes = try await server.get("/object_info").json
            for name in names { #expect(nodes[name]?["output"]?.arrayValue?.isEmpty == false, "\(name)") }
            for name in names where nodes[name]?["category"] == .string("not available") {
                let prompt = JSON.object(["1": Graphs.node(name, [:])])
                #expect(try await server.post("/prompt", .object(["prompt": prompt])).status == 400)
            }
        }
        try await withServer { server in
            let nodes = try await server.get("/object_info").json.objectValue ?? [:]
            #expect(!nodes.contains { $0.value["category"] == .string("not available") })
        }
    }

    /// Many files over one connection, as the editor loads itself.
    @Test func oneConnectionManyFiles() async throws {
        try await withFrontEnd { server in
            let port = server.port
            let statuses = try await offPool {
                let wire = try Wire(port: port)
                return (0..<300).map { _ -> Int in
                    wire.send("GET /assets/a.js HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
                    return wire.answer()?.status ?? 0
                }
            }
            #expect(statuses.allSatisfy { $0 == 200 })
        }
    }

    @Test func aPageOfOurOwn() async throws {
        try await withServer { server in
            let page = try await server.get("/")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            // Nothing from elsewhere, and every element that the script uses is there.
            #expect(!page.text.contains("http://") && !page.text.contains("https://"))
            for match in page.text.matches(of: /element\("([a-z]+)"\)/) where match.1 != "node" {
                #expect(page.text.contains("id=\"\(match.1)\""), "\(match.1)")
            }
            for path in ["/i18n", "/workflow_templates"] {
                #expect(try await server.get("/api" + path).json == .object([:]))
            }
            #expect(try await server.get("/api/extensions").json == .array([]))
            #expect(try await server.get("/user.css").status == 404)
        }
    }

    @Test func theDescriptionOfAllRoutes() async throws {
        try await withServer { server in
            let document = try await server.get("/openapi.json").json
            #expect(document["openapi"] == .string("3.1.0"))
            let paths = try #require(document["paths"]?.objectValue)
            for path in [
                "/view", "/upload/image", "/userdata/{file}", "/openapi.json", "/prompt", "/queue", "/features",
            ] {
                #expect(paths[path] != nil, "\(path)")
            }
            var identifiers: Set<String> = []
            for (path, methods) in paths {
                for (method, operation) in methods.objectValue ?? [:] {
                    #expect(["get", "post", "delete", "patch", "put"].contains(method))
                    #expect(operation["responses"]?.objectValue?.isEmpty == false)
                    let id = try #require(operation["operationId"]?.stringValue)
                    #expect(identifiers.insert(id).inserted, "\(id)")
                    // Every place in a path is described.
                    let described = Set(
                        (operation["parameters"]?.arrayValue ?? []).filter { $0["in"] == .string("path") }
                            .compactMap { $0["name"]?.stringValue })
                    let places = Set(path.matches(of: /\{([^}]+)\}/).map { String($0.1) })
                    #expect(described == places, "\(method) \(path)")
                }
            }
        }
    }
}
