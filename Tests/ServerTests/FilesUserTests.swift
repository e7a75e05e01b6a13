import Foundation
import JSON
import Testing

@testable import Server

@Suite struct FilesUserTests {
    @Test func settings() async throws {
        try await withServer { server in
            #expect(try await server.get("/api/settings").json == .object([:]))
            #expect(try await server.get("/settings/Comfy.X").json == .null)
            let answer = try await server.post("/api/settings/Comfy.X", .string("ü"))
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(try await server.post("/settings", .object(["a": .int(1), "b": .array([.null])])).status == 200)
            #expect(try await server.post("/settings", .object(["a": .int(2)])).status == 200)
            let expected: JSONObject = ["Comfy.X": .string("ü"), "a": .int(2), "b": .array([.null])]
            #expect(try await server.get("/settings").json == .object(expected))
            #expect(try await server.get("/settings/b").json == .array([.null]))
            #expect(
                try JSON(parsing: try #require(server.read("user/default/comfy.settings.json"))) == .object(expected))
            #expect(try await server.post("/settings", .array([])).status == 400)
            #expect(try await server.request("POST", "/settings", body: Array("{".utf8)).status == 400)
            #expect(try await server.request("POST", "/settings/x", body: []).status == 400)
            #expect(try await server.get("/api/settings").json == .object(expected))
            // Many at once: none is lost.
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<20 {
                    tasks.addTask { _ = try await server.post("/settings/s\(index)", .int(Int64(index))) }
                }
                try await tasks.waitForAll()
            }
            let all = try await server.get("/settings").json
            #expect((0..<20).allSatisfy { all["s\($0)"] == .int(Int64($0)) })
        }
    }

    @Test func oneUser() async throws {
        try await withServer { server in
            let before = try await server.get("/api/users").json
            #expect(before == .object(["storage": .string("server"), "migrated": .bool(false)]))
            _ = try await server.post("/settings/a", .int(1))
            #expect(try await server.get("/users").json["migrated"] == .bool(true))
            #expect(try await server.post("/users", .object(["username": .string("x")])).status == 400)
        }
    }

    @Test func manyUsers() async throws {
        try await withServer({ $0.hasManyUsers = true }) { server in
            #expect(
                try await server.get("/users").json == .object(["storage": .string("server"), "users": .object([:])]))
            #expect(try await server.get("/settings").status == 401)
            #expect(try await server.request("GET", "/settings", headers: ["Comfy-User": "../x"]).status == 401)
            let created = try await server.post("/users", .object(["username": .string("Zoë / ..")]))
            let zoe = try #require(created.json.stringValue)
            #expect(!zoe.contains("/") && !zoe.contains(".."))
            let again = try await server.post("/users", .object(["username": .string("Zoë / ..")]))
            #expect(again.status == 400 && again.json["error"] == .string("Duplicate username."))
            for name in ["", "  ", String(repeating: "x", count: 101)] {
                #expect(try await server.post("/users", .object(["username": .string(name)])).status == 400)
            }
            let max = try #require(
                try await server.post("/users", .object(["username": .string("max")])).json.stringValue)
            #expect(try await server.get("/users").json["users"]?[zoe] == .string("Zoë / .."))
            let mine = ["Comfy-User": zoe]
            #expect(try await server.post("/settings/a", .int(1), headers: mine).status == 200)
            #expect(try await server.request("GET", "/settings/a", headers: mine).json == .int(1))
            #expect(try await server.request("GET", "/settings/a", headers: ["Comfy-User": max]).json == .null)
            _ = try await server.request("POST", "/userdata/x", headers: mine, body: [1])
            #expect(try await server.request("GET", "/userdata/x", headers: mine).body == [1])
            for path in ["x", encoded("../\(zoe)/x")] {
                let answer = try await server.request("GET", "/userdata/\(path)", headers: ["Comfy-User": max])
                #expect([403, 404].contains(answer.status) && answer.body != [1])
            }
        }
    }

    @Test func filesOfUsers() async throws {
        try await withServer { server in
            let path = "/api/userdata/" + encoded("workflows/ü/a b.json")
            #expect(try await server.get(path).status == 404)
            let written = try await server.request("POST", path, body: Array("{}".utf8))
            #expect(written.json == .string("workflows/ü/a b.json"))
            let read = try await server.get(path)
            #expect(read.text == "{}" && read.headers["content-type"] == "application/json; charset=utf-8")
            #expect(try await server.request("POST", path + "?overwrite=false", body: [1]).status == 409)
            #expect(try await server.get(path).text == "{}")
            let info = try await server.request("POST", path + "?overwrite=true&full_info=true", body: [1, 2, 3]).json
            #expect(info["path"] == .string("workflows/ü/a b.json") && info["size"] == .int(3))
            let modified = try #require(info["modified"]?.doubleValue)
            #expect(abs(modified - Date().timeIntervalSince1970) < 60)
            #expect(info["created"]?.doubleValue != nil)

            let target = "/userdata/" + encoded("workflows/ü/a b.json") + "/move/" + encoded("workflows/new/c.json")
            #expect(try await server.request("POST", target).json == .string("workflows/new/c.json"))
            #expect(try await server.request("POST", target).status == 404)
            #expect(try await server.get("/userdata/" + encoded("workflows/new/c.json")).body == [1, 2, 3])
            _ = try await server.request("POST", path, body: [4])
            #expect(try await server.request("POST", target + "?overwrite=false").status == 409)
            let moved = try await server.request("POST", target + "?full_info=true").json
            #expect(moved["path"] == .string("workflows/new/c.json") && moved["size"] == .int(1))

            let file = "/userdata/" + encoded("workflows/new/c.json")
            let deleted = try await server.request("DELETE", file)
            #expect(deleted.status == 204 && deleted.body.isEmpty)
            #expect(try await server.request("DELETE", file).status == 404)
            #expect(try await server.request("DELETE", "/userdata/workflows").status == 404)
            #expect(try await server.request("POST", "/userdata/workflows", body: [1]).status == 400)
            // The only style sheet among them that counts as one.
            _ = try await server.request("POST", "/userdata/user.css", body: [32])
            #expect(try await server.get("/userdata/user.css").headers["content-type"] == "text/css; charset=utf-8")
            _ = try await server.request("POST", "/userdata/x.html", body: [32])
            #expect(try await server.get("/userdata/x.html").headers["content-type"] == "application/octet-stream")
        }
    }

    @Test func lists() async throws {
        try await withServer { server in
            #expect(try await server.get("/v2/userdata").json == .array([]))
            #expect(try await server.get("/userdata?dir=workflows").status == 404)
            for name in ["workflows/b.json", "workflows/a.json", "workflows/deep/c.json", "other"] {
                _ = try await server.request("POST", "/userdata/" + encoded(name), body: [1, 2])
            }
            func texts(_ json: JSON) -> [String?] { (json.arrayValue ?? []).map(\.stringValue) }
            #expect(try await texts(server.get("/userdata?dir=workflows").json) == ["a.json", "b.json"])
            #expect(
                try await texts(server.get("/userdata?dir=workflows%2F&recurse=true").json)
                    == ["a.json", "b.json", "deep/c.json"])
            let split = try await server.get("/userdata?dir=workflows&recurse=true&split=true").json
            #expect(split[2] == .array([.string("deep/c.json"), .string("deep"), .string("c.json")]))
            let info = try await server.get("/api/userdata?dir=workflows&recurse=true&split=false&full_info=true").json
            #expect(info[2]?["path"] == .string("deep/c.json") && info[2]?["size"] == .int(2))
            let all = try await server.get("/v2/userdata?path=workflows").json
            #expect(all.arrayValue?.count == 4)
            let folder = try #require(all.arrayValue?.first { $0["type"] == .string("directory") })
            #expect(folder["path"] == .string("workflows/deep") && folder["name"] == .string("deep"))
            for (path, status) in [
                ("/userdata", 400), ("/userdata?dir=", 400), ("/userdata?dir=..", 403), ("/userdata?dir=%2Fetc", 403),
                ("/userdata?dir=a%2F..%2F..", 403), ("/userdata?dir=nothing", 404), ("/userdata?dir=other", 404),
                ("/v2/userdata?path=..", 400), ("/v2/userdata?path=%2Fetc", 400), ("/v2/userdata?path=nothing", 404),
            ] {
                #expect(try await server.get(path).status == status, "\(path)")
            }
        }
    }

    @Test func namesThatLeave() async throws {
        try await withServer { server in
            try server.write("user/secret.txt", "secret")
            try server.write("user/default/inside", "inside")
            try FileManager.default.createSymbolicLink(
                atPath: server.folder + "/user/default/out", withDestinationPath: "../secret.txt")
            for name in [
                "../secret.txt", "a/../../secret.txt", "/etc/passwd", "%2e%2e%2fsecret.txt", "%2e%2e/secret.txt", "..",
                "..%2fsecret.txt", "out",
            ] {
                let path = "/userdata/" + encoded(name)
                #expect(try await server.get(path).status == 403, "\(name)")
                // A link is removed itself, but not while it says to lead somewhere else.
                #expect(try await server.request("DELETE", path).status == 403, "\(name)")
                if name != "out" {
                    #expect(try await server.request("POST", path, body: [1]).status == 403, "\(name)")
                    #expect(try await server.request("POST", "/userdata/inside/move/" + encoded(name)).status == 403)
                }
                #expect(try await server.request("POST", path + "/move/stolen").status == 403, "\(name)")
            }
            for name in ["a\0b", "a\nb", "C:\\x", String(repeating: "x", count: 300), "."] {
                #expect(try await server.get("/userdata/" + encoded(name)).status == 400, "\(name.debugDescription)")
            }
            #expect(server.read("user/secret.txt") == Array("secret".utf8))
            #expect(server.names("user/default") == ["inside", "out"])
        }
    }
}
