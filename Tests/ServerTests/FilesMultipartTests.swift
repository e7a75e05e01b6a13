import Testing

@testable import Server

@Suite struct FilesMultipartTests {
    private struct Part: Equatable {
        var headers: MultipartHeaders
        var content: [UInt8]
    }

    /// The parts of a body that comes in pieces of some sizes.
    private func parse(_ body: [UInt8], boundary: String, sizes: () -> Int) throws -> (parts: [Part], isComplete: Bool)
    {
        var parser = try MultipartParser(boundary: boundary)
        var parts: [Part] = []
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(max(1, sizes()))
            rest = rest.dropFirst(piece.count)
            for event in try parser.feed(piece) {
                switch event {
                case .begin(let headers): parts.append(Part(headers: headers, content: []))
                case .data(let bytes):
                    #expect(!bytes.isEmpty)
                    parts[parts.count - 1].content += bytes
                case .end: break
                }
            }
        }
        return (parts, parser.isComplete)
    }

    private func body(_ parts: [(String, [UInt8])], _ boundary: String, preamble: String = "") -> [UInt8] {
        var bytes = Array(preamble.utf8)
        for (disposition, content) in parts {
            bytes += "--\(boundary)\r\nContent-Type: text/plain\r\nContent-Disposition: \(disposition)\r\n\r\n".utf8
            bytes += content + [13, 10]
        }
        return bytes + Array("--\(boundary)--\r\n".utf8)
    }

    /// Contents full of what looks like boundaries, cut anywhere.
    @Test(arguments: 0..<20)
    func anyContentInAnyPiecesComesBack(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let boundary = ["b", "----WebKitFormBoundaryAbC123", "--", "a-b"].randomElement(using: &random) ?? "b"
        let pieces: [[UInt8]] = [
            [13], [10], [13, 10], [45], [45, 45], Array(boundary.utf8), Array("\r\n--".utf8), [0], [255],
            Array(("\r\n--" + boundary).utf8.dropLast()), Array("x".utf8),
        ]
        var parts: [(String, [UInt8])] = []
        for index in 0..<Int.random(in: 0...5, using: &random) {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                content += pieces.randomElement(using: &random) ?? []
                // The delimiter itself may not occur in what it delimits.
                let delimiter = Array(("\r\n--" + boundary).utf8)
                while content.contains(delimiter) { content.removeLast() }
                if content.starts(with: delimiter.dropFirst(2)) { content.insert(0, at: 0) }
            }
            parts.append(("form-data; name=\"f\(index)\"; filename=\"n\(index)\"", content))
        }
        let preamble = Bool.random(using: &random) ? "" : "something before\r\n"
        let bytes = body(parts, boundary, preamble: preamble)
        for limit in [1, 2, 7, 64, 100_000] {
            var sizes = random
            let (read, isComplete) = try parse(bytes, boundary: boundary) { Int.random(in: 1...limit, using: &sizes) }
            #expect(isComplete)
            #expect(read.count == parts.count)
            for (index, (part, (_, content))) in zip(read, parts).enumerated() {
                #expect(part == Part(headers: .init(name: "f\(index)", fileName: "n\(index)"), content: content))
            }
        }
    }

    @Test func cutOffFormsAreIncomplete() throws {
        let bytes = body([("form-data; name=\"a\"", Array("text".utf8))], "b")
        for count in 0..<bytes.count - 2 {
            let result = try parse(Array(bytes.prefix(count)), boundary: "b") { 5 }
            #expect(!result.isComplete)
        }
    }

    @Test(arguments: [
        "no boundary at all" + String(repeating: "x", count: 20_000), "--bx\r\n\r\n", "--b\r\n\r\n\r\n--b--",
        "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        "--b\r\nX: " + String(repeating: "x", count: 20_000),
    ])
    func malformedFormsAreRefused(body: String) {
        #expect(throws: MultipartParser.Fault.self) { try parse(Array(body.utf8), boundary: "b") { 1000 } }
    }

    @Test func thereAreLimits() {
        let many = (0..<65).map { ("form-data; name=\"\($0)\"", [UInt8]()) }
        #expect(throws: MultipartParser.Fault.self) { try parse(body(many, "b"), boundary: "b") { 50 } }
        #expect(throws: MultipartParser.Fault.self) { try MultipartParser(boundary: "") }
        #expect(throws: MultipartParser.Fault.self) {
            try MultipartParser(boundary: String(repeating: "b", count: 201))
        }
    }

    @Test(arguments: [
        ("form-data; name=\"image\"; filename=\"x.png\"", "image", "x.png"),
        ("form-data; name=image; filename=x.png", "image", "x.png"),
        ("form-data; filename=\"a;b=c.png\"; name=\"image\"", "image", "a;b=c.png"),
        ("form-data; name=\"image\"; filename=\"a\\\"b.png\"", "image", "a\"b.png"),
        ("form-data; name=\"image\"; filename=\"a%22b.png\"", "image", "a\"b.png"),
        ("form-data; name=\"image\"; filename=\"C:\\x\\y.png\"", "image", "C:\\x\\y.png"),
        ("form-data; name=\"image\"; filename=\"ü 字.png\"", "image", "ü 字.png"),
        ("form-data; name=\"image\"; filename=\"x.png\"; filename*=UTF-8''%C3%BC.png", "image", "ü.png"),
        ("form-data; NAME=\"image\" ; FileName=\"x.png\"", "image", "x.png"),
        ("form-data; name=\"image\"; filename=\"unclosed", "image", "unclosed"),
    ])
    func namesAreUnderstood(line: String, name: String, fileName: String) throws {
        let headers = try MultipartHeaders(Array("\r\ncontent-disposition: \(line)".utf8)[...])
        #expect(headers == MultipartHeaders(name: name, fileName: fileName))
    }

    @Test func boundaries() {
        #expect(MultipartHeaders.boundary("multipart/form-data; boundary=abc") == "abc")
        #expect(MultipartHeaders.boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"") == "a b")
        #expect(MultipartHeaders.boundary("multipart/form-data") == nil)
        #expect(MultipartHeaders.boundary("application/json") == nil)
        #expect(MultipartHeaders.boundary(nil) == nil)
    }
}
