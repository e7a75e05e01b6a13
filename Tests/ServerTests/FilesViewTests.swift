import Foundation
import Images
import JSON
import Testing

@testable import Server

@Suite struct FilesViewTests {
    @Test func filesComeAsTheyAre() async throws {
        try await withServer { server in
            let png = try PNGWriter.encode(Pictures.rgba())
            for (folder, type) in [("output", "output"), ("input", "input")] {
                try server.write("\(folder)/a b [1] ü.png", png)
                try server.write("\(folder)/deep/x.png", png)
                let name = encoded("a b [1] ü.png")
                let answer = try await server.get("/api/view?filename=\(name)&type=\(type)&rand=0.5")
                #expect(answer.status == 200 && answer.body == png)
                #expect(answer.headers["content-type"] == "image/png")
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["accept-ranges"] == "bytes")
                #expect(answer.headers["content-disposition"]?.hasPrefix("filename=") == true)
                #expect(try await server.get("/view?filename=x.png&subfolder=deep&type=\(type)").body == png)
                // The folders of the name are cut off.
                #expect(try await server.get("/view?filename=else/x.png&subfolder=deep&type=\(type)").body == png)
                let annotated = encoded("x.png [\(type)]")
                #expect(try await server.get("/view?filename=\(annotated)&subfolder=deep&type=temp").body == png)
            }
            // output is where files are looked for by default.
            try server.write("output/only.txt", "text")
            #expect(try await server.get("/view?filename=only.txt").text == "text")
            #expect(try await server.get("/view?filename=only.txt&channel=rgba").text == "text")
            let head = try await server.request("HEAD", "/view?filename=only.txt")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "4")
        }
    }

    @Test func rangesAndConditions() async throws {
        try await withServer { server in
            let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            try server.write("output/x.bin", bytes)
            let path = "/view?filename=x.bin"
            let whole = try await server.get(path)
            #expect(whole.body == bytes)
            let tag = try #require(whole.headers["etag"])
            let date = try #require(whole.headers["last-modified"])
            let part = try await server.request("GET", path, headers: ["Range": "bytes=300000-599999"])
            #expect(part.status == 206 && part.body == Array(bytes[300_000...599_999]))
            #expect(part.headers["content-range"] == "bytes 300000-599999/700000")
            let last = try await server.request("GET", path, headers: ["Range": "bytes=-5"])
            #expect(last.body == Array(bytes.suffix(5)))
            let none = try await server.request("GET", path, headers: ["Range": "bytes=700000-"])
            #expect(none.status == 416 && none.headers["content-range"] == "bytes */700000")
            let several = try await server.request("GET", path, headers: ["Range": "bytes=0-1,5-6"])
            #expect(several.status == 200 && several.body.count == bytes.count)
            let other = try await server.request("GET", path, headers: ["Range": "bytes=0-1", "If-Range": "\"x\""])
            #expect(other.status == 200)
            let same = try await server.request("GET", path, headers: ["Range": "bytes=0-1", "If-Range": tag])
            #expect(same.status == 206)
            for headers in [["If-None-Match": tag], ["If-Modified-Since": date], ["If-None-Match": "*"]] {
                let answer = try await server.request("GET", path, headers: headers)
                #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag)
            }
            #expect(try await server.request("GET", path, headers: ["If-Match": "\"x\""]).status == 412)
            try server.write("output/x.bin", Array(bytes.reversed()))
            #expect(try await server.request("GET", path, headers: ["If-None-Match": tag]).status == 200)
            try server.write("output/empty", [])
            #expect(try await server.get("/view?filename=empty").status == 200)
        }
    }

    @Test func picturesInOtherForms() async throws {
        try await withServer { server in
            let image = try Pictures.rgba()
            let pixels = try Pictures.samples(image)
            try server.write("output/x.png", PNGWriter.encode(image))
            func read(_ query: String) async throws -> (Wire.Answer, ByteImage, Bool) {
                let answer = try await server.get("/view?filename=x.png&" + query)
                #expect(answer.status == 200, "\(query): \(answer.text)")
                let picture = try ImageFile(answer.body).byteImage()
                #expect(picture.image.width == 24 && picture.image.height == 16)
                return (answer, picture.image, picture.hasAlpha)
            }
            let (colours, rgb, rgbHasAlpha) = try await read("channel=rgb")
            #expect(colours.headers["content-type"] == "image/png" && !rgbHasAlpha)
            let seen = try Pictures.samples(rgb)
            for i in stride(from: 0, to: pixels.count, by: 4) {
                #expect(Array(seen[i..<i + 3]) == Array(pixels[i..<i + 3]))
            }
            let (_, alpha, _) = try await read("channel=a")
            let black = try Pictures.samples(alpha)
            for i in stride(from: 0, to: pixels.count, by: 4) {
                #expect(Array(black[i..<i + 4]) == [0, 0, 0, pixels[i + 3]])
            }
            let previews: [(String, String, Bool)] = [
                ("preview=webp", "image/webp", true), ("preview=webp;50", "image/webp", true),
                ("preview=jpeg", "image/jpeg", false), ("preview=jpeg;50&channel=rgb", "image/jpeg", false),
                ("preview=jpeg&channel=rgba", "image/webp", true), ("preview=webp&channel=rgb", "image/webp", false),
                ("preview=bmp", "image/webp", true), ("preview=", "image/webp", true),
            ]
            for (query, type, hasAlpha) in previews {
                let (answer, _, found) = try await read(query)
                #expect(answer.headers["content-type"] == type && found == hasAlpha, "\(query)")
                #expect(answer.headers["etag"] == nil)
            }
            // Neither damaged pictures nor texts are changed, and what others can show is sent as it is.
            try server.write("output/broken.png", Array(PNGWriter.encode(image).prefix(60)))
            #expect(try await server.get("/view?filename=broken.png&preview=webp").status == 415)
            try server.write("output/x.txt", "no picture")
            #expect(try await server.get("/view?filename=x.txt&channel=a").status == 415)
            let gif = Array("GIF89a".utf8) + [UInt8](repeating: 0, count: 40)
            try server.write("output/x.gif", gif)
            #expect(try await server.get("/view?filename=x.gif&preview=webp").body == gif)
        }
    }

    @Test func whatIsRefused() async throws {
        try await withServer { server in
            try server.write("secret.txt", "secret")
            try server.write("output/x.png", "x")
            let root = server.folder
            for (name, target) in [("out", "../secret.txt"), ("absolute", root + "/secret.txt"), ("up", "..")] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(root)/output/\(name)", withDestinationPath: target)
            }
            let refused: [(String, Int)] = [
                ("", 404), ("filename=", 400), ("filename=%2Fetc%2Fpasswd", 400), ("filename=..%2Fsecret.txt", 400),
                ("filename=a..b.png", 400), ("filename=x.png&type=user", 400), ("filename=x.png&type=", 400),
                ("filename=x.png&subfolder=..", 403), ("filename=secret.txt&subfolder=..", 403),
                ("filename=passwd&subfolder=%2Fetc", 403), ("filename=x.png&subfolder=a%2F..%2F..", 403),
                ("filename=nothing.png", 404), ("filename=out", 403), ("filename=absolute", 403),
                ("filename=secret.txt&subfolder=up", 403), ("filename=x.png%00", 400), ("filename=a%0Ab", 400),
                ("filename=x.png&subfolder=a%00b", 403), ("filename=%252e%252e%252fsecret.txt", 404),
                ("filename=x.png%2F", 404), ("filename=output", 404), ("filename=%FF", 400),
                ("filename=" + String(repeating: "x", count: 300), 400), ("filename=C:%5Cx", 400),
            ]
            for (query, status) in refused {
                for prefix in ["", "/api"] {
                    let answer = try await server.get("\(prefix)/view?\(query)")
                    #expect(answer.status == status, "\(query) gave \(answer.status) \(answer.text)")
                    #expect(!answer.text.contains("secret\n") && answer.text != "secret")
                }
            }
        }
    }

    /// Uploads must not run as pages of this server.
    @Test func activeContentIsData() async throws {
        try await withServer { server in
            for name in ["x.html", "x.HTM", "x.js", "x.mjs", "x.css", "x.svg", "x.xml", "x.xhtml"] {
                let uploaded = try await server.upload(Array("<script>1</script>".utf8), as: name)
                #expect(uploaded.status == 200)
                let answer = try await server.get("/view?filename=\(name)&type=input")
                #expect(answer.status == 200)
                #expect(answer.headers["content-type"] == "application/octet-stream")
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["content-security-policy"]?.contains("sandbox") == true)
            }
        }
    }
}
