import Foundation
import JSON
import Plugins
import Testing

/// The built program, where the tests' bundle lies.
let executable: String? = {
    let folder = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let path = folder + "/graphrun"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
}()

/// What a program wrote and how it ended.
struct Ended: Sendable {
    var status: Int32
    var output: String
    var notes: String
    func json() throws -> JSON { try JSON(parsing: output) }
}

/// A folder with two packages of nodes, built and installed by the program; made once for the suite.
final class Workbench: Sendable {
    @TaskLocal static var current: Workbench?

    let path: String
    /// Where the libraries are installed.
    var nodes: String { path + "/data/graphrun/nodes" }
    let darkroom: Ended
    let brighter: Ended

    static func make() async throws -> Workbench {
        // Without symbolic links and double slashes, as the program writes paths.
        let path = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath()
            .appendingPathComponent("graphrun-plugins-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in ["Darkroom", "Brighter"] {
            let made = try await graphrun(["nodes", "new", name, "--path", path + "/" + name], in: path)
            try #require(made.status == 0, "\(made.notes)")
        }
        try article().write(
            toFile: path + "/Darkroom/Sources/Darkroom/Darkroom.swift", atomically: false, encoding: .utf8)
        let darkroom = try await graphrun(["nodes", "build", path + "/Darkroom"], in: path)
        let brighter = try await graphrun(["nodes", "build", path + "/Brighter"], in: path)
        return Workbench(path, darkroom, brighter)
    }

    private init(_ path: String, _ darkroom: Ended, _ brighter: Ended) {
        self.path = path
        self.darkroom = darkroom
        self.brighter = brighter
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// The Swift code of the DocC article, in order: what it says is what is tested.
    private static func article() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appendingPathComponent(
                "Sources/Kit/Sources/NodeKit/NodeKit.docc/WriteANodeInOneFile.md"), encoding: .utf8)
        var isCode = false
        var code: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```swift" || line == "```" {
                isCode = line == "```swift"
            } else if isCode {
                code.append(line)
            }
        }
        return code.joined(separator: "\n")
    }

    func graphrun(_ arguments: String...) async throws -> Ended { try await Self.graphrun(arguments, in: path) }

    private static func graphrun(_ arguments: [String], in path: String) async throws -> Ended {
        try await run(try #require(executable), arguments, ["XDG_DATA_HOME": path + "/data"])
    }

    @discardableResult func file(_ name: String, _ content: String) throws -> String {
        try content.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        return "\(path)/\(name)"
    }

    /// The float32 tensors of a file that `--save-outputs` wrote.
    func tensors(_ name: String) throws -> [String: [Float]] {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        let header = try JSON(parsing: bytes[8..<8 + length])
        var tensors: [String: [Float]] = [:]
        for (key, entry) in try #require(header.objectValue) where entry["dtype"]?.stringValue == "F32" {
            let start = 8 + length + (entry["data_offsets"]?[0]?.intValue ?? 0)
            let end = 8 + length + (entry["data_offsets"]?[1]?.intValue ?? 0)
            tensors[key] = stride(from: start, to: end, by: 4).map { at in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
            }
        }
        return tensors
    }
}

/// Runs a program without holding up the threads of other tests.
func run(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) async throws -> Ended {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(
                with: Result {
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: program)
                    process.arguments = arguments
                    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
                    let (output, notes) = (Pipe(), Pipe())
                    process.standardOutput = output
                    process.standardError = notes
                    try process.run()
                    let text = Unchecked(Data())
                    let reader = DispatchWorkItem { text.value = notes.fileHandleForReading.readDataToEndOfFile() }
                    DispatchQueue.global().async(execute: reader)
                    let data = output.fileHandleForReading.readDataToEndOfFile()
                    reader.wait()
                    process.waitUntilExit()
                    return Ended(
                        status: process.terminationStatus, output: String(decoding: data, as: UTF8.self),
                        notes: String(decoding: text.value, as: UTF8.self))
                })
        }
    }
}

/// Written by one thread, read after it is done.
private final class Unchecked<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

/// Makes the workbench before the suite's tests and removes it after them.
struct WorkbenchTrait: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let bench = try await Workbench.make()
        defer { bench.remove() }
        try await Workbench.$current.withValue(bench) { try await function() }
    }
}

extension Trait where Self == WorkbenchTrait {
    static var workbench: Self { Self() }
}
