import Foundation
import JSON
import NodeKit
import Tensors
import Testing

@testable import Engine

@Suite struct ResultStoreTests {
    @Test func onlyWhatIsWorthItIsStored() throws {
        let test = TestStore(keepsAll: false)
        test.put([[1]], "quick", seconds: 0.005)
        test.put([[1]], "slow", seconds: 0.05)
        test.put([[Image(try ramp([1, 1000, 1000, 3]))]], "large", seconds: 0.03)
        test.put([[Image(try ramp([1, 1000, 1000, 3]))]], "large and slow", seconds: 1)
        test.put([], "output", seconds: 0.001, ui: ["text": .array(["x"])])
        #expect(test.get("quick") == nil)
        #expect(test.get("slow") != nil)
        #expect(test.get("large") == nil, "computing 12 MB in 30 ms is as quick as reading them")
        #expect(test.get("large and slow") != nil)
        #expect(test.get("output") != nil, "whatever stands above an output is not even looked at")
    }

    @Test func theLeastRecentlyUsedGoFirst() throws {
        let test = TestStore(byteLimit: 1 << 20)
        let image = Image(try ramp([1, 100, 100, 3]))
        for name in ["a", "b", "c", "d", "e", "f"] {
            test.put([[image]], name)
            // Times of files are coarse.
            usleep(20_000)
            if name != "a" { #expect(test.get("a") != nil) }
        }
        #expect(test.get("a") != nil, "used every time")
        #expect(test.store.entries().count == 6)
        for index in 0..<6 {
            test.put([[image]], "more \(index)")
            usleep(20_000)
        }
        let total = test.results.entries().reduce(0) { $0 + $1.byteCount }
        #expect(total <= 1 << 20)
        #expect(test.get("b") == nil)
        #expect(test.get("more 5") != nil)
        #expect(test.complaints.all.isEmpty)
    }

    @Test func whatWouldPushOutTooMuchIsNotStored() throws {
        let test = TestStore(byteLimit: 400_000)
        test.put([[1]], "small")
        test.put([[Image(try ramp([1, 100, 100, 3]))]], "large")
        #expect(test.get("large") == nil)
        #expect(test.get("small") != nil)
        let none = TestStore(byteLimit: 0)
        none.put([[1]], "small")
        #expect(none.get("small") == nil)
        #expect(none.complaints.all.isEmpty)
    }

    @Test func twoStoresMayEvictAtOnce() async throws {
        let folder = TemporaryFolder()
        let image = Image(try ramp([1, 50, 50, 3]))
        let stores = (0..<4).map { _ in TestStore(folder, byteLimit: 600_000) }
        await withTaskGroup(of: Void.self) { group in
            for (number, test) in stores.enumerated() {
                group.addTask {
                    for index in 0..<60 {
                        test.put([[image]], "\((index * 3 + number) % 40)")
                        if let read = test.get("\(index % 40)") {
                            #expect((read.outputs[0][0] as? Image)?.tensor.count == 7500)
                        }
                    }
                }
            }
        }
        for test in stores { #expect(test.complaints.all.isEmpty) }
        let total = stores[0].results.entries().reduce(0) { $0 + $1.byteCount }
        #expect(total < 600_000 + 4 * 75_000, "each counts what it wrote itself: \(total)")
    }

    @Test(arguments: ["/proc/self/graphrun-cache", "/dev/null/cache"])
    func aFolderThatCannotBeWrittenCostsOneWarning(_ path: String) {
        let test = TestStore(path: path)
        for name in ["a", "b", "c"] { test.put([[1]], name) }
        #expect(test.store.lookUp(key("a"), StubFiles()) == nil)
        #expect(test.complaints.all.count == 1)
        #expect(test.complaints.all[0].contains("results are not kept on disk"))
    }

    @Test func unfinishedFilesOfKilledProcessesAreRemoved() throws {
        let test = TestStore()
        test.put([[1]], "a")
        let folder = URL(fileURLWithPath: test.path("a")).deletingLastPathComponent().path
        let (old, new) = ("\(folder)/.graphrun-1-abc.tmp", "\(folder)/.graphrun-2-abc.tmp")
        for path in [old, new] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: old)
        #expect(test.results.entries().count == 1)
        #expect(!FileManager.default.fileExists(atPath: old))
        #expect(FileManager.default.fileExists(atPath: new), "somebody may be writing it")
    }

    @Test func clearingRemovesWhatTheProgramMadeAndNothingElse() throws {
        let test = TestStore()
        test.put([[1]], "a")
        let mine = try test.folder.write([1], "mine.txt")
        try CacheFolder(test.folder.path).clear()
        #expect(test.get("a") == nil)
        #expect(!FileManager.default.fileExists(atPath: "\(test.folder.path)/results"))
        #expect(FileManager.default.fileExists(atPath: mine))

        let foreign = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: "\(foreign.path)/results", withIntermediateDirectories: true)
        #expect(throws: FileError.self) { try CacheFolder(foreign.path).clear() }
        #expect(FileManager.default.fileExists(atPath: "\(foreign.path)/results"))
        try CacheFolder("\(foreign.path)/nowhere").clear()
    }
}

@Suite struct FileDigestTests {
    private func digest(_ path: String, _ cache: CacheFolder? = nil) throws -> String {
        try FileDigests(cache).digest(path: path)
    }

    @Test func theContentCountsAndNothingElse() throws {
        let folder = TemporaryFolder()
        let a = try folder.write(Array("content".utf8), "a")
        let b = try folder.write(Array("content".utf8), "b")
        let c = try folder.write(Array("Content".utf8), "c")
        let first = try digest(a)
        #expect(try digest(b) == first)
        #expect(try digest(c) != first)
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: a)
        #expect(try digest(a) == first, "touched")
        try FileManager.default.moveItem(atPath: a, toPath: folder.path + "/moved")
        #expect(try digest(folder.path + "/moved") == first, "moved")
        #expect(throws: FileError.self) { try digest(folder.path + "/nowhere") }
        #expect(throws: FileError.self) { try digest(folder.path) }
    }

    @Test func aDigestIsRememberedUntilTheFileChanges() throws {
        let (folder, cache) = (TemporaryFolder(), TemporaryFolder())
        let file = try folder.write(Array("content".utf8), "a")
        // Only a file that has been left alone for a while is taken as known.
        usleep(2_200_000)
        let first = try digest(file, CacheFolder(cache.path))
        let kept = try FileManager.default.contentsOfDirectory(atPath: cache.path + "/digests")
        #expect(kept.count == 1)
        let record = "\(cache.path)/digests/\(kept[0])"
        let text = try String(contentsOfFile: record, encoding: .utf8)
        #expect(text.contains(first))
        #expect(try digest(file, CacheFolder(cache.path)) == first)
        // A damaged record is not believed.
        try text.replacingOccurrences(of: first, with: "sha256 0").write(
            toFile: record, atomically: false, encoding: .utf8)
        #expect(try digest(file, CacheFolder(cache.path)) == first)
        // Same length, same time, other content.
        let time = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
        _ = try folder.write(Array("CONTENT".utf8), "a")
        try FileManager.default.setAttributes([.modificationDate: try #require(time)], ofItemAtPath: file)
        #expect(try digest(file, CacheFolder(cache.path)) != first)
    }

    /// A file of 100 MB in 40 tensors, made of holes where nothing is written.
    private func model(_ folder: TemporaryFolder, _ name: String, changing tensor: Int?) throws -> String {
        var header = JSONObject()
        let size = 2_500_000
        for index in 0..<40 {
            header["layer.\(index).weight"] = .object([
                "dtype": "F32", "shape": .array([.int(Int64(size / 4))]),
                "data_offsets": .array([.int(Int64(index * size)), .int(Int64((index + 1) * size))]),
            ])
        }
        let text = Array(JSON.object(header).text().utf8)
        let path = "\(folder.path)/\(name)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: Data((0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text))
        if let tensor {
            // As training does: numbers all over one tensor.
            for position in stride(from: 0, to: size - 4, by: 1000) {
                try file.seek(toOffset: UInt64(8 + text.count + tensor * size + position))
                try file.write(contentsOf: Data([1, 2, 3, 4]))
            }
        }
        try file.truncate(atOffset: UInt64(8 + text.count + 40 * size))
        try file.close()
        return path
    }

    @Test func fineTunesOfOneModelDiffer() throws {
        let folder = TemporaryFolder()
        let base = try digest(model(folder, "base", changing: nil))
        #expect(base.hasPrefix("sample1 "))
        #expect(try digest(model(folder, "copy", changing: nil)) == base)
        for tensor in [0, 17, 39] {
            #expect(try digest(model(folder, "tuned \(tensor)", changing: tensor)) != base, "tensor \(tensor)")
        }
    }
}

@Suite struct EngineVersionTests {
    @Test func theProgramIsKnownByItsBuild() throws {
        #expect(EngineVersion.identity.utf8.count >= 16)
        #expect(EngineVersion.buildID("/proc/self/exe").map { $0.count >= 16 } ?? true)
        let folder = TemporaryFolder()
        #expect(EngineVersion.buildID(try folder.write([0x7F, 0x45, 0x4C, 0x46, 2], "short")) == nil)
        let hostile = [0x7F, 0x45, 0x4C, 0x46, 2] + [UInt8](repeating: 0xFF, count: 200)
        #expect(EngineVersion.buildID(try folder.write(hostile, "hostile")) == nil)
    }

    @Test func availableMemoryIsPlausible() {
        #expect(AvailableMemory.bytes() > 1 << 20)
        #expect(AvailableMemory.bytes() < 1 << 50)
    }
}
