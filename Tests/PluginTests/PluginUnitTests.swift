import Foundation
import JSON
import NodeKit
import Tensors
import Testing

@testable import Plugins

@Suite struct NodeKitVersionTests {
    @Test func theLayoutIsTheBuildIDOfTheLoadedLibrary() throws {
        let version = NodeKitVersion.current
        let path = try #require(NodeKitVersion.libraryPath)
        #expect((path as NSString).lastPathComponent == "libNodeKit.so")
        #expect(version.layout.count == 40 && version.layout.allSatisfy(\.isHexDigit))
        // The ID's bytes stand in the file as they are.
        let digits = Array(version.layout)
        let bytes = stride(from: 0, to: 40, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(bytes)) != nil)
        #expect(version.compiler.hasPrefix("Swift 6"))
    }

    @Test func theTextIsReadBack() throws {
        let version = NodeKitVersion.current
        #expect(NodeKitVersion(version.description) == version)
        #expect(version.mismatch(with: version) == nil)
        for text in ["", "NodeKit 1.0", "NodeKit 1.0.0; layout a", "NodeKit 1.x.0; layout a; compiler c", "; ; ;"] {
            #expect(NodeKitVersion(text) == nil)
        }
        #expect(NodeKitVersion("NodeKit 1.2.3; layout ab; compiler c; d")?.compiler == "c; d")
    }

    @Test func everyDifferenceIsNamed() throws {
        let host = NodeKitVersion(major: 1, minor: 0, patch: 0, layout: "aa", compiler: "Swift 60301, Clang x")
        var other = NodeKitVersion(major: 2, minor: 0, patch: 0, layout: "aa", compiler: host.compiler)
        #expect(other.mismatch(with: host) == "it was built for NodeKit 2.0.0, this program has NodeKit 1.0.0")
        other = NodeKitVersion(major: 1, minor: 0, patch: 0, layout: "aa", compiler: "Swift 60205, Clang x")
        #expect(other.mismatch(with: host) == "it was built with Swift 6.2.5, this program with Swift 6.3.1")
        other = NodeKitVersion(major: 1, minor: 0, patch: 0, layout: "aa", compiler: "Swift 60301, Clang y")
        #expect(other.mismatch(with: host)?.contains("Clang y") == true)
        other = NodeKitVersion(major: 1, minor: 0, patch: 0, layout: "ab", compiler: host.compiler)
        #expect(other.mismatch(with: host)?.contains("another build") == true)
        let blank = NodeKitVersion(major: 1, minor: 0, patch: 0, layout: "", compiler: host.compiler)
        #expect(blank.mismatch(with: blank) != nil, "without a layout nothing can be compared")
    }
}

@Suite struct PackageNameTests {
    @Test(arguments: ["Darkroom", "my_nodes", "N2", "x"])
    func goodNames(_ name: String) throws { try ModuleName.check(name) }

    @Test(arguments: [
        "", "2D", "my-nodes", "a b", "../x", "a/b", "_x", "Über", "class", "Self", "NodeKit", "Swift", "Foundation",
        "Engine", "a\0b", "\"", String(repeating: "a", count: 65),
    ])
    func badNames(_ name: String) { #expect(throws: PluginError.self) { try ModuleName.check(name) } }

    @Test func modulesOfTheProgramAreTaken() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let manifest = try String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)
        let names = manifest.matches(of: /module\(\s*"(\w+)"/).map { String($0.1) }
        #expect(names.count > 10)
        for name in names { #expect(ModuleName.taken.contains(name), "\(name)") }
    }

    @Test func nothingIsOverwritten() throws {
        let folder = NSTemporaryDirectory() + "/graphrun-template-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let kit = NodeKitFolder(path: "/a \"quoted\" \\(path)")
        try PackageTemplate.write("Darkroom", to: folder, kit: kit)
        let manifest = try String(contentsOfFile: folder + "/Package.swift", encoding: .utf8)
        #expect(manifest.contains("?? \"/a \\\"quoted\\\" \\\\(path)\"\n"))
        #expect(throws: PluginError.self) { try PackageTemplate.write("Darkroom", to: folder, kit: kit) }
        #expect(throws: PluginError.self) { try PackageTemplate.write("class", to: folder + "/b", kit: kit) }
        #expect(!FileManager.default.fileExists(atPath: folder + "/b"))
    }
}

@Suite struct SharedObjectTests {
    private static let good = [UInt8](
        (try? Data(contentsOf: URL(fileURLWithPath: NodeKitVersion.libraryPath ?? ""))) ?? Data())

    @Test func aLibraryIsAccepted() throws { try SharedObject.check(Self.good) }

    @Test func everyTruncationIsRefused() throws {
        let end = Self.good.count
        for count in stride(from: 0, to: 4096, by: 7) + [end / 2, end - end / 8, end - 1] {
            #expect(throws: PluginError.self) { try SharedObject.check(Array(Self.good.prefix(count))) }
        }
    }

    @Test func wrongHeadersAreNoTrap() {
        var seed: UInt64 = 1
        func random() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 33
        }
        var refused = 0
        for _ in 0..<2000 {
            var bytes = Array(Self.good.prefix(8192))
            for _ in 0..<4 { bytes[16 + Int(random() % 600)] = UInt8(truncatingIfNeeded: random()) }
            for at in 32..<40 where random() % 8 == 0 { bytes[at] = 0xFF }
            do { try SharedObject.check(bytes) } catch { refused += 1 }
        }
        #expect(refused == 2000, "the segments of the whole library are not in its first 8 KB")
    }
}

@Suite struct ManifestTests {
    @Test func aManifestIsReadBack() throws {
        let manifest = NodeLibraryManifest(
            module: "Darkroom", library: "Darkroom-1.so", digest: "ab", nodeKit: .current, nodes: ["A", "B; c"],
            package: "/p")
        #expect(try NodeLibraryManifest(manifest.json) == manifest)
    }

    @Test(arguments: [
        "null", "[]", "{}", "{\"format\": \"1\"}", "{\"format\": 1}", "{\"format\": 1, \"module\": 3}",
        "{\"format\": 1e400}",
    ])
    func whatIsNoManifestIsRefused(_ text: String) throws {
        guard let json = try? JSON(parsing: text) else { return }
        #expect(throws: PluginError.self) { try NodeLibraryManifest(json) }
    }

    @Test func theUsersFolderFollowsTheEnvironment() {
        #expect(NodeFolder.perUser()?.hasSuffix("/graphrun/nodes") != false)
        let none = NodeLibraries.load(named: [], perUser: "/nowhere/at/all")
        #expect(none.libraries.isEmpty && none.warnings.isEmpty)
    }
}

private struct Counting: LazyNode {
    static let info = NodeInfo("Counting", category: "test")
    @Input(.min(1)) var steps = 3
    @Input(.lazy) var extra: Int?
    @Input var names: [String]
    @Output("total") var total: Int
    @Output("each") var each: [String]
    func neededInputs(_ context: NodeContext) async throws -> [String] { steps > 2 ? ["extra"] : [] }
    func run(_ context: NodeContext) async throws {
        for step in 0..<steps {
            try context.checkCancellation()
            context.progress(step + 1, of: steps)
        }
        context.warn("careful")
        context.show(["text": .array(names.map { .string($0) })])
        total = steps + (extra ?? 0)
        each = names
    }
}

@Suite struct NodeTrialTests {
    @Test func whatANodeDoesIsSeen() async throws {
        let trial = try NodeTrial()
        let result = try await trial.run(Counting.self, ["names": ["a", "b"], "extra": 4])
        #expect(try result.value("total") == 7)
        #expect(try result.list("each") == ["a", "b"])
        #expect(result.progress.map(\.done) == [1, 2, 3])
        #expect(result.warnings == ["careful"])
        #expect(result.shown?["text"] == .array([.string("a"), .string("b")]))
        #expect(try await trial.neededInputs(Counting.self, ["names": ["a"], "steps": 3]) == ["extra"])
        #expect(try await trial.neededInputs(Counting.self, ["names": ["a"], "steps": 1]) == [])
        #expect(throws: NodeError.self) { try result.value("total", as: String.self) }
        #expect(throws: NodeError.self) { try result.value("each", as: String.self) }
        #expect(throws: NodeError.self) { try result.value("nothing", as: String.self) }
        await #expect(throws: NodeError.self) { try await trial.run(Counting.self) }
        trial.cancel()
        await #expect(throws: CancellationError.self) { try await trial.run(Counting.self, ["names": ["a"]]) }
    }

    @Test func filesAreFoundAndRemoved() throws {
        var folder = ""
        do {
            let trial = try NodeTrial()
            folder = trial.files.folder
            try FileManager.default.createDirectory(atPath: folder + "/models/loras", withIntermediateDirectories: true)
            try "x".write(toFile: folder + "/models/loras/a", atomically: false, encoding: .utf8)
            symlink("/", folder + "/root")
            #expect(trial.files.modelNames("loras") == ["a"])
            #expect(try trial.files.model("loras", "a") == folder + "/models/loras/a")
            #expect(throws: NodeError.self) { try trial.files.input("none.png") }
        }
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(FileManager.default.fileExists(atPath: "/usr"))
    }

    @Test func theBackendBroadcastsAndRefusesModels() throws {
        let backend = TrialBackend()
        let a = try Tensor([1, 2, 3, 4], shape: [2, 2])
        #expect(try backend.multiply(a, Tensor([10, 1], shape: [1, 2])).floats() == [10, 2, 30, 4])
        #expect(try backend.add(a, a).floats() == [2, 4, 6, 8])
        #expect(throws: TensorError.self) { try backend.add(a, Tensor([1, 2, 3], shape: [3])) }
        #expect(throws: TensorError.self) { try backend.activate(a, .silu, result: .full) }
    }
}
