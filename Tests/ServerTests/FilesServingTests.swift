import HTTPTypes
import Testing

@testable import Server

@Suite struct FilesServingTests {
    @Test(arguments: [
        ("bytes=0-0", ByteRanges.part(0..<1)), ("bytes=0-", .part(0..<10)), ("bytes=3-5", .part(3..<6)),
        ("bytes=3-500", .part(3..<10)), ("bytes=-3", .part(7..<10)), ("bytes=-30", .part(0..<10)),
        ("bytes=9-", .part(9..<10)), ("bytes=10-", .unsatisfiable), ("bytes=10-20", .unsatisfiable),
        ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999-", .unsatisfiable),
        ("bytes=0-99999999999999999999", .part(0..<10)), ("bytes=5-3", .whole), ("bytes=a-b", .whole),
        ("bytes=1-2,4-5", .whole), ("items=0-1", .whole), ("bytes=-", .whole), ("bytes=--3", .whole), ("", .whole),
        ("bytes=+1-2", .whole), ("BYTES=1-2", .part(1..<3)),
    ])
    func ranges(header: String, expected: ByteRanges) {
        #expect(ByteRanges(header, byteCount: 10) == expected)
    }

    @Test func rangesOfNothing() {
        #expect(ByteRanges(nil, byteCount: 0) == .whole)
        #expect(ByteRanges("bytes=0-", byteCount: 0) == .unsatisfiable)
        #expect(ByteRanges("bytes=-1", byteCount: 0) == .unsatisfiable)
    }

    @Test func dates() {
        #expect(HTTPDate(seconds: 784_111_777).description == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate("Sun, 06 Nov 1994 08:49:37 GMT")?.seconds == 784_111_777)
        #expect(HTTPDate(seconds: 951_782_400).description == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate(seconds: 0).description == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate(seconds: -1).description == "Wed, 31 Dec 1969 23:59:59 GMT")
        for text in [
            "", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994", "Sun, 06 Xxx 1994 08:49:37 GMT", "1", "a, b c d e f",
        ] {
            #expect(HTTPDate(text) == nil)
        }
        var random = SplitMix(state: 7)
        for _ in 0..<500 {
            let seconds = Int.random(in: -60_000_000_000...250_000_000_000, using: &random)
            #expect(HTTPDate(HTTPDate(seconds: seconds).description)?.seconds == seconds)
        }
    }

    private func conditions(_ fields: [(HTTPField.Name, String)]) throws -> Conditions {
        let trap = try TrapFolder()
        let validators = Validators(try trap.folder.open(ConfinedName("x")).status)
        var headers = HTTPFields()
        for (name, value) in fields {
            headers[name] =
                value
                .replacing("TAG", with: validators.tag)
                .replacing("LATER", with: HTTPDate(seconds: validators.modified.seconds + 1).description)
                .replacing("EARLIER", with: HTTPDate(seconds: validators.modified.seconds - 1).description)
                .replacing("SAME", with: validators.modified.description)
        }
        return Conditions(headers, validators)
    }

    @Test func conditionsOfRequests() throws {
        #expect(try conditions([]) == .send)
        #expect(try conditions([(.ifNoneMatch, "TAG")]) == .notModified)
        #expect(try conditions([(.ifNoneMatch, "\"x\", W/TAG")]) == .notModified)
        #expect(try conditions([(.ifNoneMatch, "*")]) == .notModified)
        #expect(try conditions([(.ifNoneMatch, "\"x\"")]) == .send)
        // The tag counts alone where there is one.
        #expect(try conditions([(.ifNoneMatch, "\"x\""), (.ifModifiedSince, "LATER")]) == .send)
        #expect(try conditions([(.ifModifiedSince, "SAME")]) == .notModified)
        #expect(try conditions([(.ifModifiedSince, "EARLIER")]) == .send)
        #expect(try conditions([(.ifModifiedSince, "nonsense")]) == .send)
        #expect(try conditions([(.ifMatch, "TAG")]) == .send)
        #expect(try conditions([(.ifMatch, "W/TAG")]) == .failed)
        #expect(try conditions([(.ifMatch, "\"x\"")]) == .failed)
        #expect(try conditions([(.ifUnmodifiedSince, "EARLIER")]) == .failed)
        #expect(try conditions([(.ifUnmodifiedSince, "SAME")]) == .send)
    }

    @Test func typesOfFiles() {
        #expect(ContentType.ofAsset("a.mjs") == "text/javascript; charset=utf-8")
        #expect(ContentType.ofAsset("a.woff2") == "font/woff2")
        #expect(ContentType.ofAsset("a") == "application/octet-stream")
        #expect(ContentType.ofUserFile("A.PNG") == "image/png")
        for active in ["html", "HTM", "xhtml", "js", "mjs", "css", "svg", "xml", "pdf"] {
            #expect(ContentType.ofUserFile("x.\(active)") == "application/octet-stream")
        }
    }

    @Test func namesInHeaders() {
        #expect(FileAnswer.disposition("x y.png") == "filename=\"x y.png\"")
        #expect(FileAnswer.disposition("ü\".png") == "filename=\"__.png\"; filename*=UTF-8''%C3%BC%22.png")
    }

    @Test func base64() {
        #expect(Base64.decode("") == [])
        #expect(Base64.decode("Zm9vYmFy") == Array("foobar".utf8))
        #expect(Base64.decode("Zm9v\nYmE=") == Array("fooba".utf8))
        #expect(Base64.decode("Zg==") == Array("f".utf8))
        #expect(Base64.decode("Zg=x") == nil)
        #expect(Base64.decode("Z*") == nil)
    }

    @Test func changesOfPictures() {
        #expect(PictureChange(preview: nil, channel: nil) == .none)
        #expect(PictureChange(preview: nil, channel: "rgba") == .none)
        #expect(PictureChange(preview: nil, channel: "rgb") == .colours)
        #expect(PictureChange(preview: nil, channel: "a") == .alpha)
        #expect(PictureChange(preview: "webp", channel: "a") == .preview(.webp, quality: 90))
        #expect(PictureChange(preview: "jpeg;75", channel: nil) == .preview(.jpeg, quality: 75))
        #expect(PictureChange(preview: "jpeg;75", channel: "rgb") == .preview(.jpeg, quality: 75))
        #expect(PictureChange(preview: "jpeg;75", channel: "rgba") == .preview(.webp, quality: 75))
        #expect(PictureChange(preview: "gif;x", channel: nil) == .preview(.webp, quality: 90))
        #expect(PictureChange(preview: "webp;1000", channel: nil) == .preview(.webp, quality: 100))
        #expect(PictureChange(preview: "webp;-5", channel: nil) == .preview(.webp, quality: 1))
    }

    @Test func annotations() {
        #expect(AnnotatedName("x.png [input]").name == "x.png")
        #expect(AnnotatedName("x.png [input]").place == .input)
        #expect(AnnotatedName("x.png[input]").name == "x.png[input]")
        #expect(AnnotatedName("x [1].png").place == nil)
    }
}
