import Foundation
import Images
import JSON
import Testing

@testable import Server

@Suite struct FilesUploadTests {
    private func stored(_ name: String, _ subfolder: String = "", _ type: String = "input") -> JSON {
        .object(["name": .string(name), "subfolder": .string(subfolder), "type": .string(type)])
    }

    private func check(_ answer: Wire.Answer, _ expected: JSON) { #expect(answer.json == expected, "\(answer.text)") }

    @Test func uploadsAreKept() async throws {
        try await withServer { server in
            let (one, two) = ([UInt8](0...255), [UInt8](repeating: 7, count: 300_000))
            try await check(server.upload(one, as: "x.png"), stored("x.png"))
            #expect(server.read("input/x.png") == one)
            // Equal content is not kept again; other content gets the next number, which is compared too.
            try await check(server.upload(one, as: "x.png"), stored("x.png"))
            try await check(server.upload(two, as: "x.png"), stored("x (1).png"))
            try await check(server.upload(two, as: "x.png"), stored("x (1).png"))
            try await check(server.upload([1], as: "x.png"), stored("x (2).png"))
            #expect(server.names("input") == ["x (1).png", "x (2).png", "x.png"])
            #expect(server.read("input/x (1).png") == two)
            try await check(server.upload([2], as: "x.png", ["overwrite": "true"]), stored("x.png"))
            #expect(server.read("input/x.png") == [2])
            try await check(server.upload([3], as: "x.png", ["overwrite": "1"]), stored("x.png"))
            #expect(server.read("input/x.png") == [3])
            try await check(server.upload([], as: "empty"), stored("empty"))
            try await check(server.upload([4], as: "empty"), stored("empty (1)"))
            try await check(server.upload([5], as: ".hidden"), stored(".hidden"))
            try await check(server.upload([6], as: ".hidden"), stored(".hidden (1)"))
        }
    }

    @Test func foldersAndTypes() async throws {
        try await withServer { server in
            let below = try await server.upload([1], as: "ü [1].png", ["subfolder": "a/../b/./c", "type": "output"])
            // The subfolder is answered as it was sent.
            #expect(below.json == stored("ü [1].png", "a/../b/./c", "output"))
            #expect(server.read("output/b/c/ü [1].png") == [1])
            try await check(server.upload([2], as: "t.png", ["type": "temp"]), stored("t.png", "", "temp"))
            #expect(try await server.get("/view?filename=t.png&type=temp").body == [2])
        }
    }

    @Test func whatIsRefused() async throws {
        try await withServer { server in
            try server.write("secret.txt", "secret")
            try FileManager.default.createSymbolicLink(
                atPath: server.folder + "/input/out", withDestinationPath: "..")
            let before = server.names("")
            let refused: [(String, [String: String])] = [
                ("../x.png", [:]), ("..", [:]), (".", [:]), ("/x.png", [:]), ("a/b.png", [:]), ("a\u{1}b", [:]),
                ("C:x", [:]), ("..\\x.png", [:]), ("", [:]), (String(repeating: "x", count: 256), [:]),
                ("x.png", ["subfolder": ".."]), ("x.png", ["subfolder": "/tmp"]), ("x.png", ["subfolder": "a/../.."]),
                ("x.png", ["subfolder": "out"]), ("x.png", ["subfolder": "out/new"]), ("x.png", ["type": "user"]),
                ("x.png", ["type": ""]), ("x.png", ["subfolder": "a\u{0}b"]),
                ("x.png", ["subfolder": String(repeating: "a/", count: 3000)]),
            ]
            for (name, fields) in refused {
                for overwrite in ["false", "true"] {
                    let all = fields.merging(["overwrite": overwrite]) { first, _ in first }
                    let answer = try await server.upload([1], as: name, all)
                    #expect(answer.status == 400, "\(name) \(fields) gave \(answer.status) \(answer.text)")
                }
            }
            #expect(server.names("") == before)
            #expect(server.names("input") == ["out"])
            #expect(server.read("secret.txt") == Array("secret".utf8))
        }
    }

    @Test func malformedForms() async throws {
        try await withServer({ $0.bodyLimit = 1 << 20 }) { server in
            let multipart = "multipart/form-data; boundary=b"
            let malformed: [(String, String)] = [
                (multipart, ""), (multipart, "--b"), (multipart, "--b--"), (multipart, "--b\r\n\r\n\r\n--b--"),
                (multipart, "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x\"\r\n\r\nhalf"),
                (multipart, "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\ntext\r\n--b--"),
                (multipart, "--b\r\nContent-Disposition: form-data; name=\"i\"; filename=\"x\"\r\n\r\nx\r\n--b--"),
                ("multipart/form-data", "x"), ("application/json", "{}"), ("multipart/mixed; boundary=b", "--b--"),
                ("multipart/form-data; boundary=" + String(repeating: "b", count: 300), ""),
            ]
            for (type, body) in malformed {
                for path in ["/upload/image", "/api/upload/mask"] {
                    let answer = try await server.request(
                        "POST", path, headers: ["Content-Type": type], body: Array(body.utf8))
                    #expect(answer.status == 400, "\(type) \(body) gave \(answer.status)")
                }
            }
            let large = try await server.upload([UInt8](repeating: 0, count: 1 << 20), as: "x.bin")
            #expect(large.status == 413)
            #expect(server.names("input").isEmpty)
        }
    }

    @Test func masksGoOntoTheirOriginals() async throws {
        try await withServer { server in
            let original = try Pictures.rgba(alpha: 1)
            let texts = [ImageText("prompt", "{\"ü\": 1}"), ImageText("workflow", "{}")]
            try server.write("output/deep/o.png", PNGWriter.encode(original, texts: texts))
            let mask = try PNGWriter.encode(Pictures.rgba(alpha: 0.5))
            let reference = #"{"filename": "o.png", "subfolder": "deep", "type": "output"}"#
            let answer = try await server.upload(
                mask, as: "m.png", to: "/upload/mask",
                ["original_ref": reference, "type": "input", "subfolder": "clipspace"])
            #expect(answer.json == stored("m.png", "clipspace"), "\(answer.text)")
            let file = try ImageFile(try #require(server.read("input/clipspace/m.png")))
            #expect(try file.texts() == texts)
            let combined = try Pictures.samples(file.byteImage().image)
            let (colours, alpha) = (try Pictures.samples(original), try Pictures.samples(Pictures.rgba(alpha: 0.5)))
            for i in stride(from: 0, to: combined.count, by: 4) {
                #expect(Array(combined[i..<i + 4]) == Array(colours[i..<i + 3]) + [alpha[i + 3]])
            }
            let references: [([String: String], Int)] = [
                ([:], 400), (["original_ref": "x"], 400), (["original_ref": "{}"], 400),
                (["original_ref": #"{"filename": "none.png"}"#], 404),
                (["original_ref": #"{"filename": "../o.png"}"#], 400),
                (["original_ref": #"{"filename": "o.png", "subfolder": "../.."}"#], 400),
                (["original_ref": #"{"filename": "o.png", "subfolder": "deep", "type": "user"}"#], 400),
            ]
            for (fields, status) in references {
                let refused = try await server.upload(mask, as: "n.png", to: "/upload/mask", fields)
                #expect(refused.status == status, "\(fields) gave \(refused.status)")
            }
            // Another size, and no picture.
            let small = try PNGWriter.encode(Pictures.rgba(8, 8))
            for bytes in [small, Array("text".utf8)] {
                let refused = try await server.upload(
                    bytes, as: "n.png", to: "/upload/mask", ["original_ref": reference])
                #expect(refused.status == 400)
            }
            #expect(server.names("input") == ["clipspace"])
        }
    }

    /// Many at once under one name: every content is kept once.
    @Test func uploadsAtTheSameTime() async throws {
        try await withServer { server in
            let names = try await withThrowingTaskGroup(of: (Int, String).self) { tasks in
                for index in 0..<24 {
                    tasks.addTask {
                        let answer = try await server.upload([UInt8(index / 2)], as: "x.png")
                        return (index, answer.json["name"]?.stringValue ?? answer.text)
                    }
                }
                return try await tasks.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            for (index, name) in names { #expect(server.read("input/\(name)") == [UInt8(index / 2)], "\(name)") }
            #expect(server.names("input").count == 12)
        }
    }
}
