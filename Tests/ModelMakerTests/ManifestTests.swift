import Foundation
import Hashing
import JSON
import Testing

@testable import ModelMaker

/// A folder that is removed with the test.
final class Scratch {
    let path = NSTemporaryDirectory() + "/graphrun-models-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func digest(_ name: String) throws -> String {
        SHA256.digest(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))).description
    }
    var files: [String] { (FileManager.default.subpaths(atPath: path) ?? []).sorted() }
}

struct ManifestTests {
    static let folder = Bundle.module.bundlePath + "/Files"
    // Made by the reference writer (goldens/make.py) from the same manifests.
    static let types = "1f40130a885388d14024f490f0bdb29b90570ba7532269716fcd4d1cbbf128ee"
    static let large = "3d327f54f175db225901c6395cd4b18aa0be11c68e771d70b00485bf2fa25d9f"
    static let typesSeed5 = "0a0ee7f61cd7599023c7978bae5bfb2de3ab3fb12434f48caadbd608439b3b89"
    static let config = "5459522200d82e8b5753e18d08839fcbdf6d5ae424bfaddc1f3c021fc3e5a8ea"

    @Test func equalsTheReferenceWriter() throws {
        let scratch = try Scratch()
        var seen: [String: Int] = [:]
        try ManifestFolder(Self.folder).write(to: scratch.path) { seen[$0] = $1 }
        #expect(try scratch.digest("models/types.safetensors") == Self.types)
        #expect(try scratch.digest("models/sub/large.safetensors") == Self.large)
        #expect(try scratch.digest("models/sub/config.json") == Self.config)
        #expect(Set(seen.keys) == ["types.safetensors", "sub/large.safetensors"])
        #expect(
            scratch.files == [
                "models", "models/sub", "models/sub/config.json", "models/sub/large.safetensors",
                "models/types.safetensors",
            ])
    }

    @Test func seedAndFilter() throws {
        let scratch = try Scratch()
        try ManifestFolder(Self.folder).write(to: scratch.path, seed: 5, only: "types")
        #expect(try scratch.digest("models/types.safetensors") == Self.typesSeed5)
        #expect(scratch.files == ["models", "models/types.safetensors"])
    }

    @Test func upToDateFilesAreKept() throws {
        let scratch = try Scratch()
        let folder = ManifestFolder(Self.folder)
        try folder.write(to: scratch.path, only: "types")
        var written = 0
        try folder.write(to: scratch.path, only: "types") { _, _ in written += 1 }
        #expect(written == 0)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)],
            ofItemAtPath: scratch.path + "/models/types.safetensors")
        try folder.write(to: scratch.path, only: "types") { _, _ in written += 1 }
        #expect(written == 1)
    }

    @Test func cancellationLeavesNothing() throws {
        let scratch = try Scratch()
        #expect {
            try ManifestFolder(Self.folder).write(to: scratch.path, only: "large", isCancelled: { true })
        } throws: {
            ($0 as? ManifestError)?.code == .cancelled
        }
        #expect(scratch.files == ["models", "models/sub"])
    }

    @Test(arguments: [
        (#"[]"#, "seed is missing"), (#"{"seed": 1.5}"#, "seed is a number"), (#"{"seed": 1}"#, "dtype is missing"),
        (#"{"seed": 1, "dtype": "F64"}"#, "expected one of BF16"),
        (#"{"seed": 1, "dtype": "F32"}"#, "tensors is missing"),
        (#"{"seed": 1, "dtype": "F32", "metadata": {"a": 1}, "tensors": {}}"#, "metadata.a"),
        (#"{"seed": 1, "dtype": "F32", "metadata": [], "tensors": {}}"#, "metadata is an array"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"__metadata__": [[1], 0, 1]}}"#, "__metadata__"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], 0]}}"#, "tensor a"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[-1], 0, 1]}}"#, "size -1"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[4294967296, 4294967296], 0, 1]}}"#, "too many elements"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[3], [1, 2], 0]}}"#, "2 numbers are given"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], ["x"], 0]}}"#, "0 numbers are given"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], null, 0]}}"#, "the centre is null"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], 0, "x"]}}"#, "half width is a string"),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], 0, 1, "F9"]}}"#, "tensor a: type is \"F9\""),
        (#"{"seed": 1, "dtype": "F32", "tensors": {"a": [[1], 0, 1, "F32", 5]}}"#, "draw key"),
    ])
    func faults(text: String, words: String) throws {
        let json = try JSON(parsing: text)
        #expect { try Manifest(parsing: json) } throws: { error in
            guard let error = error as? ManifestError else { return false }
            #expect(error.message.contains(words), "\(error)")
            return error.code == .malformed
        }
    }

    @Test func fileFaults() throws {
        let scratch = try Scratch()
        let json = try JSON(parsing: #"{"seed": 1, "dtype": "F32", "tensors": {"a": {"file": "nowhere"}}}"#)
        let manifest = try Manifest(parsing: json)
        #expect { try manifest.write(to: scratch.path + "/x.safetensors", files: scratch.path) } throws: {
            "\($0)".contains("nowhere")
        }
        let plain = try Manifest(parsing: JSON(parsing: #"{"seed": 1, "dtype": "F32", "tensors": {}}"#))
        #expect(throws: ManifestError.self) { try plain.write(to: "/proc/none/x.safetensors") }
        #expect(throws: ManifestError.self) { try ManifestFolder(scratch.path).write(to: scratch.path) }
        #expect(scratch.files == [])
    }
}
