import Foundation
import JSON
import Testing

/// The cache as it shows between processes of the built program.
@Suite(.enabled(if: CacheProgram.path != nil, "needs the built graphrun beside the tests"))
struct CacheProcessTests {
    @Test func aSecondProcessRunsNothingAndNamesTheSameFiles() throws {
        let place = try CachePlace()
        let first = try place.run()
        #expect(first.status == 0)
        #expect(first.executed == ["1", "2", "3"])
        let second = try place.run()
        #expect(second.status == 0)
        #expect(second.executed.isEmpty)
        #expect(second.shown == first.shown)
        #expect(try place.pictures() == ["ComfyUI_00001_.png"])
        let third = try place.run("--no-cache")
        #expect(third.executed == ["1", "2", "3"])
    }

    @Test func processesAtTheSameTimeDoNotDisturbEachOther() throws {
        let place = try CachePlace()
        let running = try (0..<6).map { _ in try CacheProgram(place.arguments(["--json"])) }
        for program in running {
            let outcome = program.finish()
            #expect(outcome.status == 0)
            #expect(!outcome.errors.contains("warning"), "\(outcome.errors)")
        }
        #expect(try place.run().executed.isEmpty)
    }

    /// A write beyond the file size limit fails in the middle, as on a full disk.
    @Test func aFullDiskCostsAWarningNotTheRun() throws {
        let place = try CachePlace()
        let program = try CacheProgram(place.arguments([]), kibibytesPerFile: 1)
        let outcome = program.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.components(separatedBy: "results are not kept on disk").count == 2, "\(outcome.errors)")
        #expect(try place.pictures() == ["ComfyUI_00001_.png"])
        let left = FileManager.default.enumerator(atPath: place.cache)?.compactMap { $0 as? String } ?? []
        #expect(!left.contains { $0.hasSuffix(".result") || $0.hasSuffix(".tmp") }, "\(left)")
    }

    @Test func listExplainAndClear() throws {
        let place = try CachePlace()
        let before = try place.command("explain", place.workflow, "--models", place.path, "--json")
        #expect(before.status == 0)
        #expect(before.output.contains("there is no result of any SaveImage"))
        _ = try place.run()
        let list = try place.command("list")
        #expect(list.output.contains("SaveImage") && list.output.contains("node 3"))
        #expect(list.errors.contains(place.cache))
        let listed = try JSON(parsing: try place.command("list", "--json").output)
        #expect(listed[0]?["class_type"] == .string("SaveImage"))
        let explained = try place.command("explain", place.workflow, "--set", "3.filename_prefix=other")
        #expect(
            explained.output.contains("node 3 (Save Image): runs: input filename_prefix was \"ComfyUI\", is \"other\""),
            "\(explained.output)")
        #expect(try place.command("clear").status == 0)
        #expect(try place.command("list").output.isEmpty)
        #expect(try place.run().executed == ["1", "2", "3"])
    }

    @Test func clearingAnotherFolderIsRefused() throws {
        let place = try CachePlace()
        let outcome = CacheProgram.run(["cache", "clear", "--cache", place.path])
        #expect(outcome?.status == 1)
        #expect(outcome?.errors.contains("no cache folder of graphrun") == true)
        #expect(FileManager.default.fileExists(atPath: place.workflow))
    }

    @Test func sizesAreUnderstoodOrRefused() throws {
        let place = try CachePlace()
        #expect(try place.run("--cache-size", "20M", "--memory", "30%").status == 0)
        #expect(try place.run("--cache-size", "many").status == 2)
        #expect(try place.run("--memory", "150%").status == 2)
        #expect(try place.run("--memory", "-5").status == 2)
    }
}

/// A workflow that loads, inverts and saves a small picture.
private final class CachePlace {
    let path = NSTemporaryDirectory() + "/graphrun-cached-\(UUID().uuidString)"
    var cache: String { path + "/cache" }
    var workflow: String { path + "/workflow.json" }

    init() throws {
        for folder in ["input", "cache"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
        // 2 × 2 pixels.
        let text =
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEklEQVR4nGP4z8DAAMIM"
            + "/4EAAB/uBfsL2WiLAAAAAElFTkSuQmCC"
        let picture = try #require(Data(base64Encoded: text))
        try picture.write(to: URL(fileURLWithPath: path + "/input/x.png"))
        try """
        {"1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
         "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "bilinear", "width": 4,
               "height": 4, "crop": "disabled"}},
         "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "ComfyUI"}}}
        """.write(toFile: workflow, atomically: false, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func arguments(_ more: [String]) -> [String] {
        [
            workflow, "--models", path, "--input", path + "/input", "--output", path + "/output", "--cache", cache,
        ] + more
    }

    func run(_ more: String...) throws -> CacheProgram.Outcome {
        var arguments = arguments(["--json"] + more)
        if more.contains("--no-cache") {
            arguments.removeAll { $0 == "--cache" || $0 == cache }
        }
        return try CacheProgram(arguments).finish()
    }

    func command(_ name: String, _ more: String...) throws -> CacheProgram.Outcome {
        var arguments = ["cache", name, "--cache", cache] + more
        if name == "explain" {
            if !more.contains("--models") { arguments += ["--models", path] }
            arguments += ["--input", path + "/input", "--output", path + "/output"]
        }
        return try CacheProgram(arguments).finish()
    }

    func pictures() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/output").sorted()
    }
}

/// A process of the built program.
private final class CacheProgram {
    static let path: String? = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("graphrun").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : nil
    }()

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String

        private var events: [JSON] {
            output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
        }
        var executed: [String] {
            events.filter { $0["type"] == .string("executing") }.compactMap { $0["data"]?["node"]?.stringValue }
        }
        /// What output nodes showed.
        var shown: [String] {
            events.filter { $0["type"] == .string("executed") }.compactMap { $0["data"]?["output"]?.text() }
        }
    }

    private let process = Process()
    private let folder = NSTemporaryDirectory() + "/graphrun-process-\(UUID().uuidString)"

    /// - Parameter kibibytesPerFile: the largest file it may write.
    init(_ arguments: [String], kibibytesPerFile: Int? = nil) throws {
        let program = try #require(Self.path)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil) }
        process.executableURL = URL(fileURLWithPath: kibibytesPerFile == nil ? program : "/bin/bash")
        process.arguments =
            kibibytesPerFile.map { ["-c", "ulimit -f \($0); exec \"$0\" \"$@\"", program] + arguments } ?? arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: folder + "/out")
        process.standardError = FileHandle(forWritingAtPath: folder + "/err")
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func run(_ arguments: [String]) -> Outcome? { (try? CacheProgram(arguments))?.finish() }

    func finish() -> Outcome {
        process.waitUntilExit()
        func text(_ name: String) -> String {
            (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
        }
        return Outcome(status: process.terminationStatus, output: text("out"), errors: text("err"))
    }
}
