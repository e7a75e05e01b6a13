import Foundation
import JSON
import OrderedCollections
import Testing

@testable import Workflow

@Suite struct FileTests {
    private static let api = "{\"1\": {\"class_type\": \"A\", \"inputs\": {\"x\": 1}}}"
    private static let ui =
        "{\"nodes\": [{\"id\": 1, \"type\": \"EmptyImage\", \"widgets_values\": [8, 9, 1, 0]}], \"links\": []}"

    private func load(_ text: String) throws -> WorkflowFile { try WorkflowFile(bytes: Array(text.utf8), name: "f") }

    @Test func toldApartByContent() throws {
        #expect(try load(Self.api).prompt?.ids == ["1"])
        #expect(try load(Self.api).workflow == nil)
        #expect(try load(Self.ui).workflow != nil)
        #expect(try load(Self.ui).prompt == nil)
        #expect(try load("\u{FEFF}" + Self.api).prompt?.ids == ["1"])
    }

    @Test(arguments: [
        "{\"prompt\": \(api)}", "{\"prompt\": \(api), \"client_id\": \"x\"}",
        "{\"output\": \(api), \"workflow\": \(ui)}",
        "{\"prompt\": \(api), \"extra_data\": {\"extra_pnginfo\": {\"workflow\": \(ui)}}}",
        "{\"prompt\": \"{\\\"1\\\": {\\\"class_type\\\": \\\"A\\\"}}\"}",
    ])
    func wrappers(text: String) throws {
        let file = try load(text)
        #expect(file.prompt?.ids == ["1"])
        #expect((file.workflow != nil) == text.contains("workflow"))
        let conversion = try file.conversion(schemas: { _ in nil })
        #expect(conversion.prompt.ids == ["1"] && conversion.workflow == file.workflow)
    }

    @Test func wrappedGraph() throws {
        #expect(try load("{\"workflow\": \(Self.ui)}").workflow?["nodes"] != nil)
        #expect(try load("{\"prompt\": \(Self.ui)}").conversion(schemas: { _ in nil }).prompt.ids == ["1"])
    }

    @Test(arguments: [
        ("", WorkflowError.Code.notJSON, "empty"), ("   ", .notJSON, "too early"), ("[]", .noWorkflow, "an array"),
        ("5", .noWorkflow, "an integer"), ("{}", .noWorkflow, "empty object"), ("{\"nodes\": 5}", .malformed, "nodes"),
        ("{\"a\": 1}", .malformed, "node \"a\""), ("{\"nodes\": [5], \"links\": []}", .malformed, "nodes[0]"),
        ("{\"nodes\": [{\"id\": 1}]}", .malformed, "nodes[0].type"),
        ("{\"nodes\": [{\"type\": \"A\"}]}", .malformed, "nodes[0].id"),
        ("{\"nodes\": [{\"id\": [], \"type\": \"A\"}]}", .malformed, "nodes[0].id: found an array"),
        ("{\"nodes\": [{\"id\": 1, \"type\": \"A\", \"inputs\": {}}]}", .malformed, "nodes[0].inputs"),
        ("{\"nodes\": [{\"id\": 1, \"type\": \"A\", \"inputs\": [5]}]}", .malformed, "nodes[0].inputs[0]"),
        ("{\"nodes\": [], \"links\": {}}", .malformed, "links"),
        (
            "{\"nodes\": [], \"definitions\": {\"subgraphs\": [{\"id\": \"a\"}]}}", .malformed,
            "definitions.subgraphs[0].nodes"
        ),
        ("{\"1\": {\"class_type\": \"A\"}, \"2\": []}", .malformed, "node \"2\""),
        ("{\"prompt\": 5}", .malformed, "prompt: found an integer"), ("{\"nodes\"", .notJSON, "too early"),
        ("\u{1}\u{2}\u{3}", .notJSON, "not a workflow file"),
    ])
    func faults(text: String, code: WorkflowError.Code, part: String) {
        do {
            _ = try load(text).conversion(schemas: { _ in nil })
            Issue.record("no error for \(text)")
        } catch let error as WorkflowError {
            #expect(error.code == code, "\(error)")
            #expect(error.file == "f")
            #expect("\(error)".contains(part), "\(error)")
        } catch {
            Issue.record(error)
        }
    }

    @Test func deepAndHugeTextsAreErrors() {
        for unit in ["[", "{\"nodes\":[", "{\"1\":"] {
            let text = String(repeating: unit, count: 4_000_000)
            #expect(throws: WorkflowError.self) { try load(text) }
        }
    }

    @Test func unreadableFiles() throws {
        for path in ["/nonexistent/x.json", "/", "a\u{0}b"] {
            do {
                _ = try WorkflowFile.load(path: path)
                Issue.record("no error for \(path)")
            } catch {
                #expect(error.code == .unreadable && error.file == path)
            }
        }
    }

    @Test func pictures() throws {
        let both = Self.png([("tEXt", "prompt\0" + Self.api), ("tEXt", "workflow\0" + Self.ui)])
        let file = try WorkflowFile(bytes: both)
        #expect(file.prompt?.ids == ["1"] && file.workflow?["nodes"] != nil)
        // A file cut in its pixels still holds the texts.
        #expect(try WorkflowFile(bytes: Array(both.dropLast(20))).prompt?.ids == ["1"])
        let international = Self.png([("iTXt", "prompt\0\0\0en\0translated\0" + Self.api)])
        #expect(try WorkflowFile(bytes: international).prompt?.ids == ["1"])
        let raw = Self.png([("tEXt", "workflow\0{\"nodes\": [{\"id\": 1, \"type\": \"é\"}]}")])
        #expect(try WorkflowFile(bytes: raw).workflow?["nodes"]?[0]?["type"] == .string("é"))
        let notANumber = Self.png([("tEXt", "prompt\0{\"1\": {\"class_type\": \"A\", \"is_changed\": [NaN]}}")])
        #expect(try WorkflowFile(bytes: notANumber).prompt?.ids == ["1"])
    }

    @Test func picturesWithoutWorkflow() {
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 0]
        let broken = Self.png([("zTXt", "prompt\0\0x")])
        var damaged = Self.png([("tEXt", "prompt\0" + Self.api)])
        damaged[60] ^= 1
        let cases: [([UInt8], String)] = [
            (Self.png([]), "holds no workflow"), (jpeg, "JPEG"), (broken, "cannot be decompressed"),
            (damaged, "wrong check sum"), (Array(Self.png([]).prefix(20)), "cut off within its header"),
            (Self.webP([]), "WebP picture holds no workflow"),
            (Self.png([("tEXt", "prompt\0{")]), "prompt: this is not JSON"),
        ]
        for (bytes, part) in cases {
            do {
                _ = try WorkflowFile(bytes: bytes)
                Issue.record("no error: \(part)")
            } catch {
                #expect("\(error)".contains(part), "\(error)")
            }
        }
    }

    @Test(arguments: [true, false])
    func webPictures(isLittle: Bool) throws {
        let texts = ["prompt:" + Self.api, "workflow:" + Self.ui]
        for prefix in [[], Array("Exif\0\0".utf8)] {
            let file = try WorkflowFile(bytes: Self.webP(prefix + Self.exif(texts, isLittle: isLittle)))
            #expect(file.prompt?.ids == ["1"] && file.workflow?["nodes"] != nil)
        }
    }

    /// Cut and changed pictures are errors or files, never traps.
    @Test func brokenPicturesNeverTrap() {
        let seeds = [
            Self.png([("tEXt", "prompt\0" + Self.api), ("iTXt", "workflow\0\0\0\0\0" + Self.ui)]),
            Self.webP(Self.exif(["prompt:" + Self.api], isLittle: true)),
        ]
        var random = SplitMix(seed: 1, stream: "pictures")
        for seed in seeds {
            for length in 0..<seed.count { _ = try? WorkflowFile(bytes: Array(seed[..<length])) }
            for _ in 0..<3000 {
                var bytes = seed
                for _ in 0..<4 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 0xFF) }
                _ = try? WorkflowFile(bytes: bytes)
            }
        }
    }

    /// A picture of one pixel with these chunks before it.
    static func png(_ chunks: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func add(_ type: String, _ data: [UInt8]) {
            let covered = Array(type.utf8) + data
            bytes += number(UInt32(data.count)) + covered + number(checkSum(covered))
        }
        add("IHDR", number(1) + number(1) + [8, 0, 0, 0, 0])
        for (type, text) in chunks { add(type, Array(text.utf8)) }
        add("IDAT", [0x78, 0x9C, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01])
        add("IEND", [])
        return bytes
    }

    /// CRC-32 as in PNG files.
    private static func checkSum(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    static func webP(_ exif: [UInt8]) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let length = UInt32(data.count)
            return Array(name.utf8) + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + data
                + (data.count % 2 == 1 ? [0] : [])
        }
        let body = Array("WEBP".utf8) + chunk("VP8 ", [1, 2, 3]) + chunk("EXIF", exif)
        return chunk("RIFF", body)
    }

    static func exif(_ texts: [String], isLittle: Bool) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return isLittle ? bytes : bytes.reversed()
        }
        var bytes = Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(texts.count, 2)
        var start = 8 + 2 + 12 * texts.count + 4
        for (index, text) in texts.enumerated() {
            bytes += number(0x0110 - index, 2) + number(2, 2) + number(text.utf8.count + 1, 4) + number(start, 4)
            start += text.utf8.count + 1
        }
        bytes += number(0, 4)
        for text in texts { bytes += Array(text.utf8) + [0] }
        return bytes
    }
}
