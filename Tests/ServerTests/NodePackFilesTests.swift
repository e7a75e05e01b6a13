import Foundation
import JSON
import Testing

@testable import Server

/// What libraries of nodes bring for the editor.
@Suite struct NodePackFilesTests {
    @Test func scriptsWorkflowsAndTranslations() async throws {
        let folder = NSTemporaryDirectory() + "graphrun-packs-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (path, text) in [
            ("A/web/a.js", "let a"), ("A/web/deep/b.js", "let b"), ("A/web/style.css", "c"), ("A/secret.txt", "secret"),
            ("A/example_workflows/First one.json", "{}"), ("A/example_workflows/First one.jpg", "j"),
            ("A/locales/en/main.json", #"{"x": {"y": "1"}}"#), ("A/locales/en/nodeDefs.json", #"{"N": {"a": 1}}"#),
            ("A/locales/de/main.json", "no JSON"), ("B/locales/en/main.json", #"{"x": {"z": "2"}}"#),
        ] {
            let url = URL(fileURLWithPath: "\(folder)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        let server = try await TestServer.start(editorFolders: [
            EditorFolder(module: "A", path: folder + "/A"), EditorFolder(module: "B", path: folder + "/B"),
        ])
        #expect(
            try await server.get("/extensions").json
                == .array([.string("/extensions/A/a.js"), .string("/extensions/A/deep/b.js")]))
        let script = try await server.get("/extensions/A/deep/b.js")
        #expect(script.text == "let b" && script.headers["content-type"] == "text/javascript; charset=utf-8")
        #expect(try await server.get("/extensions/A/style.css").status == 200)
        #expect(
            try await server.get("/api/workflow_templates").json == .object(["A": .array([.string("First one")])]))
        #expect(try await server.get("/api/workflow_templates/A/First%20one.json").text == "{}")
        #expect(
            try await server.get("/api/workflow_templates/A/First%20one.jpg").headers["content-type"] == "image/jpeg")
        let texts = try await server.get("/api/i18n").json
        #expect(texts["en"]?["x"] == .object(["y": .string("1"), "z": .string("2")]))
        #expect(texts["en"]?["nodeDefs"]?["N"]?["a"] == .int(1))
        #expect(texts["de"] == nil)
        for path in [
            "/extensions/A/../secret.txt", "/extensions/A/..%2Fsecret.txt", "/extensions/C/a.js", "/extensions/A",
            "/extensions/A/", "/api/workflow_templates/A/..%2Fsecret.txt", "/api/workflow_templates/C/x.json",
            "/api/workflow_templates/..%2F/x.json",
        ] {
            let answer = try await server.get(path)
            #expect(answer.status == 404 && !answer.text.contains("secret"), "\(path): \(answer.status)")
        }
        try await server.stop()
    }
}
