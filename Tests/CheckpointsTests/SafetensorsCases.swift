import Foundation
import JSON
import Tensors
import Testing

@testable import Checkpoints

/// Files that must load bit for bit, and files that must be refused (goldens "formats").
struct FormatCase: Sendable, CustomTestStringConvertible {
    var folder: String
    var file: String
    var verdict: String
    var expected: String?
    var testDescription: String { "\(folder)/\(file)" }

    static func load(_ folder: String) -> [FormatCase] {
        guard let data = try? Data(contentsOf: url(folder, "cases.json")),
            let cases = try? JSON(parsing: data).arrayValue
        else { return [] }
        return cases.compactMap { entry in
            guard let file = entry["file"]?.stringValue, let verdict = entry["verdict"]?.stringValue else { return nil }
            return FormatCase(folder: folder, file: file, verdict: verdict, expected: entry["expected"]?.stringValue)
        }
    }

    static func url(_ folder: String, _ file: String) -> URL {
        Bundle.module.bundleURL.appendingPathComponent("Files/\(folder)/\(file)")
    }
    var path: String { Self.url(folder, file).path }
}

@Suite struct SafetensorsCases {
    @Test func casesAreThere() {
        #expect(FormatCase.load("safetensors").count > 50)
        #expect(FormatCase.load("sharded").count == 8)
        #expect(FormatCase.load("fp8").count == 5)
    }

    @Test(arguments: FormatCase.load("safetensors") + FormatCase.load("sharded"))
    func verdict(_ test: FormatCase) throws {
        switch test.verdict {
        case "refused":
            let error = #expect(throws: CheckpointError.self) { _ = try CheckpointFile(path: test.path) }
            // The message names the file and says more than that it is bad.
            #expect((error?.message.count ?? 0) > test.file.count + 10)
        case "loads":
            let file = try CheckpointFile(path: test.path)
            guard let expected = test.expected else { return }
            let reference = try CheckpointFile(path: FormatCase.url(test.folder, expected).path)
            #expect(file.keys == reference.keys)
            for key in reference.keys {
                #expect(file.stored(key)?.shape == reference.stored(key)?.shape)
                #expect(file.stored(key)?.type == reference.stored(key)?.type)
                guard DType(rawValue: reference.stored(key)?.type ?? "") != nil else { continue }
                #expect(try bytes(file, key) == bytes(reference, key))
            }
        default: _ = try? CheckpointFile(path: test.path)
        }
    }

    @Test func messagesSayWhatToDo() throws {
        func message(_ file: String) -> String {
            do {
                _ = try CheckpointFile(path: FormatCase.url("safetensors", file).path)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message("bad-is-a-zip.safetensors").contains("pickle"))
        #expect(message("bad-is-gguf.safetensors").contains("GGUF"))
        #expect(message("bad-truncated-data.safetensors").contains("cut short"))
        #expect(message("bad-duplicate-key.safetensors").contains("twice"))
        #expect(throws: CheckpointError.self) { _ = try CheckpointFile(path: "/nonexistent/x.safetensors") }
        #expect(throws: CheckpointError.self) { _ = try CheckpointFile(path: "/tmp") }
    }

    /// Files of formats that are not read (goldens "formats/pickle", "formats/gguf"), and a safetensors file with the
    /// ending of one.
    @Test(arguments: [
        ("hand-made.pt", "pickle"), ("lightning.ckpt", "pickle"), ("bad-zip-empty.pt", "zip"),
        ("legacy-no-zip.pth", "pickle"), ("metadata-types.gguf", "GGUF"), ("bad-magic.gguf", "ggml"),
    ])
    func otherFormatsAreNamed(_ file: String, _ format: String) {
        let path = FormatCase.url("other", file).path
        let error = #expect(throws: CheckpointError.self) { _ = try CheckpointFile(path: path) }
        #expect(error?.message.contains(format) == true)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains("safetensors") == true)
    }

    /// Headers of 640 and 19,280 bytes begin, as numbers, like a pickle and a zip archive.
    @Test(arguments: [640, 19280]) func lengthsThatLookLikeOtherFormats(_ length: Int) throws {
        var header = Array(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#.utf8)
        header += [UInt8](repeating: 0x20, count: length - header.count)
        let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("length-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(start + header + [7]).write(to: url)
        #expect(try CheckpointFile(path: url.path).keys == ["a"])
    }

    @Test func endingsDoNotMatter() throws {
        let file = try CheckpointFile(path: FormatCase.url("other", "bad-is-safetensors.pt").path)
        #expect(!file.keys.isEmpty)
    }

    @Test(arguments: ["scaled-e4m3", "scaled-e5m2-two-element-marker", "plain-fp8"])
    func fp8Weights(_ name: String) throws {
        let source = try WeightSource(CheckpointFile(path: FormatCase.url("fp8", name + ".safetensors").path))
        let reference = try CheckpointFile(path: FormatCase.url("fp8", name + ".expected.safetensors").path)
        #expect(source.keys == reference.keys)
        for key in reference.keys {
            let piece = try #require(source.pieces[key]?.first)
            let expected = try #require(try reference.tensor(key)).floats()
            let values = try piece.tensor.floats().map { $0 * piece.scale }
            #expect(values == expected, "\(key)")
        }
    }

    private func bytes(_ file: CheckpointFile, _ key: String) throws -> [UInt8] {
        let tensor = try #require(try file.tensor(key))
        return try tensor.withBytes { Array($0) }
    }
}
