import Foundation
import Images
import JSON
import Testing

@testable import Server

@Suite struct FilesModelTests {
    /// Types of files that only their packs know.
    @Test func typesOfExtraPathsAreListed() async throws {
        let folder = NSTemporaryDirectory() + "graphrun-server-" + UUID().uuidString
        for (path, text) in [
            ("models/extra_model_paths.yaml", "a:\n    base_path: \(folder)/more\n    ipadapter: ip\n    loras: l\n"),
            ("more/ip/x.safetensors", ""), ("more/l/y.safetensors", ""),
        ] {
            let url = URL(fileURLWithPath: "\(folder)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        let server = try await TestServer.start(in: folder)
        #expect(try await server.get("/models").json.arrayValue?.last == .string("ipadapter"))
        #expect(try await server.get("/models/ipadapter").json == .array([.string("x.safetensors")]))
        #expect(try await server.get("/models/loras").json == .array([.string("y.safetensors")]))
        #expect(try await server.get("/internal/folder_paths").json["ipadapter"] != nil)
        #expect(try await server.get("/models/nothing").status == 404)
        try await server.stop()
    }

    private func safetensors(_ header: String) -> [UInt8] {
        let text = Array(header.utf8)
        return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    }

    @Test func metadata() async throws {
        try await withServer { server in
            try server.write(
                "models/loras/deep/x.safetensors", safetensors(#"{"__metadata__": {"ss_tag": "ü", "n": "1"}}"#))
            try server.write("models/loras/none.safetensors", safetensors("{}"))
            try server.write("models/loras/broken.safetensors", safetensors("{"))
            try server.write("models/loras/short.safetensors", [1, 2, 3])
            try server.write("models/loras/large.safetensors", [0, 0, 0, 0, 1, 0, 0, 0] + Array("{}".utf8))
            try server.write("models/loras/x.ckpt", safetensors(#"{"__metadata__": {}}"#))
            let path = "/api/view_metadata/loras?filename="
            let found = try await server.get(path + encoded("deep/x.safetensors"))
            #expect(found.json == .object(["ss_tag": .string("ü"), "n": .string("1")]))
            for name in [
                "", "none.safetensors", "broken.safetensors", "short.safetensors", "large.safetensors", "x.ckpt",
                "missing.safetensors", encoded("../loras/deep/x.safetensors"), encoded("/etc/x.safetensors"),
                "%00.safetensors",
            ] { #expect(try await server.get(path + name).status == 404, "\(name)") }
            #expect(try await server.get("/view_metadata/loras").status == 404)
            #expect(try await server.get("/view_metadata/nothing?filename=x.safetensors").status == 404)
        }
    }

    @Test func listsAndPreviews() async throws {
        try await withServer { server in
            let picture = try Pictures.rgba()
            try server.write("models/loras/a.safetensors", safetensors("{}"))
            try server.write("models/loras/a.preview.png", PNGWriter.encode(picture))
            let cover = Data(try JPEGWriter.encode(picture, quality: 90)).base64EncodedString()
            try server.write(
                "models/loras/deep/b.safetensors",
                safetensors(#"{"__metadata__": {"ssmd_cover_images": "[\"\#(cover)\"]"}}"#))
            try server.write(
                "models/loras/c.safetensors",
                safetensors(#"{"__metadata__": {"modelspec.thumbnail": "data:image/jpeg;base64,\#(cover)"}}"#))
            try server.write("models/loras/d.safetensors", safetensors("{}"))
            let types = try #require(try await server.get("/api/experiment/models").json.arrayValue)
            let names = types.compactMap { $0["name"]?.stringValue }
            #expect(names.contains("checkpoints") && !names.contains("configs") && !names.contains("custom_nodes"))
            #expect(
                types.allSatisfy {
                    $0["folders"]?.arrayValue?.allSatisfy { $0.stringValue?.hasPrefix("/") == true } == true
                })
            let list = try #require(try await server.get("/api/experiment/models/loras").json.arrayValue)
            #expect(
                list.compactMap { $0["name"]?.stringValue } == [
                    "a.safetensors", "c.safetensors", "d.safetensors", "deep/b.safetensors",
                ])
            #expect(list.allSatisfy { $0["pathIndex"] == .int(0) && $0["size"]?.intValue != nil })
            let path = "/api/experiment/models/preview/loras/0/"
            for name in ["a.safetensors", encoded("deep/b.safetensors"), "c.safetensors"] {
                let answer = try await server.get(path + name)
                #expect(answer.status == 200 && answer.headers["content-type"] == "image/webp", "\(name)")
                #expect(try ImageFile(answer.body).storedSize() == (24, 16))
            }
            for (path, status) in [
                (path + "d.safetensors", 404), (path + "missing.safetensors", 404),
                (path + encoded("../loras/a.safetensors"), 403), (path + encoded("/etc/passwd"), 400),
                ("/experiment/models/preview/loras/7/a.safetensors", 404),
                ("/experiment/models/preview/loras/-1/a.safetensors", 404),
                ("/experiment/models/preview/loras/x/a.safetensors", 404),
                ("/experiment/models/preview/nothing/0/a.safetensors", 404), ("/experiment/models/nothing", 404),
            ] { #expect(try await server.get(path).status == status, "\(path)") }
            let paths = try await server.get("/internal/folder_paths").json
            #expect(paths["loras"]?[0]?.stringValue?.hasSuffix("/models/loras") == true)
            #expect(try await server.get("/api/internal/folder_paths").status == 404)
        }
    }

    @Test func foldersNewestFirst() async throws {
        try await withServer { server in
            #expect(try await server.get("/internal/files/temp").json == .array([]))
            for (index, name) in ["b.png", "a.png", "c.png"].enumerated() {
                try server.write("output/\(name)", "x")
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: Double(index) * 100)],
                    ofItemAtPath: server.folder + "/output/" + name)
            }
            try server.write("output/deep/d.png", "x")
            let names = try await server.get("/internal/files/output").json
            #expect(names == .array([.string("c.png"), .string("a.png"), .string("b.png")]))
            let other = try await server.get("/internal/files/user")
            #expect(other.status == 400 && other.json == .object(["error": .string("Invalid directory type")]))
        }
    }

    @Test func logs() async throws {
        try await withServer { server in
            server.server.context.log.note("first ü")
            let text = try await server.get("/internal/logs").json.stringValue
            #expect(text?.contains("first ü\n") == true)
            let raw = try await server.get("/internal/logs/raw").json
            let entry = try #require(raw["entries"]?.arrayValue?.last)
            #expect(entry["m"] == .string("first ü\n"))
            #expect(entry["t"]?.stringValue?.count == 26)
            #expect(raw["size"]?["cols"]?.intValue != nil)
            let socket = try await server.socket("logs-client")
            _ = try await socket.next()
            let subscribe = JSON.object(["clientId": .string("logs-client"), "enabled": .bool(true)])
            let answer = try await server.request(
                "PATCH", "/internal/logs/subscribe", body: Array(subscribe.text().utf8))
            #expect(answer.status == 200)
            server.server.context.log.note("second")
            let seen = try await socket.until { $0["type"] == .string("logs") }
            #expect(seen.last?["data"]?["entries"]?[0]?["m"] == .string("second\n"))
            #expect(try await server.request("PATCH", "/internal/logs/subscribe", body: Array("{}".utf8)).status == 400)
        }
    }

    @Test func timesOfLogs() {
        #expect(LogText.time(1_794_161_032_120) == "2026-11-08T18:03:52.120000")
        #expect(LogText.time(0) == "1970-01-01T00:00:00.000000")
    }
}
