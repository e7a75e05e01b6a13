import Foundation
import JSON
import NodeKit
import Synchronization
import Tensors
import Testing
import Workflow

@testable import Engine

/// Writes its value into the output folder and shows the file.
private struct WriteNode: Node {
    static let info = NodeInfo("Write", category: "test", isOutput: true)
    @Input var value: AnyNodeValue
    @Input var name: String
    @Input(.choices(["output", "temp"])) var place: String
    func run(_ context: NodeContext) async throws {
        let folder = place == "output" ? context.files.outputFolder : context.files.temporaryFolder
        try "\(value.base)".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        let image: JSONObject = ["filename": .string(name), "subfolder": "", "type": .string(place)]
        context.show(["images": .array([.object(image)])])
    }
}

/// A value that cannot be stored, and a node that uses it.
private struct ModelNode: Node {
    static let info = NodeInfo("Model", category: "test")
    @Input(.files("loras")) var file: String
    @Output var model: WitnessValue
    func run(_ context: NodeContext) async throws { model = WitnessValue(witness: Witness {}, size: 10) }
}
private struct UseNode: Node {
    static let info = NodeInfo("Use", category: "test")
    @Input var model: WitnessValue
    @Input var steps: Int
    @Output var image: Image
    func run(_ context: NodeContext) async throws { image = Image(try .full([1, 4, 4, 3], Float(steps))) }
}

private let writingPack = NodePack("writing", module: "nodes", nodes: [WriteNode.self, ModelNode.self, UseNode.self])

/// A folder with models, outputs and a cache; every engine is that of a new process.
private struct Installation {
    let folder = TemporaryFolder()
    let cache = TemporaryFolder()

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/models/loras", withIntermediateDirectories: true)
        for name in ["a", "b"] { try model(name, "weights of \(name)") }
    }

    func model(_ name: String, _ content: String) throws {
        _ = try folder.write(Array(content.utf8), "models/loras/\(name).safetensors")
    }

    func engine(output: String = "output", type: DType = .float32) throws -> GraphEngine {
        let files = try ModelFolders(
            models: folder.path + "/models", input: folder.path + "/input", output: folder.path + "/" + output,
            digests: FileDigests(CacheFolder(cache.path)))
        return GraphEngine(
            registry: NodeRegistry([stubPack, writingPack]), backend: StubBackend(computeType: type), files: files,
            cache: ResultCache(byteLimit: 1 << 30), store: TestStore(cache).store)
    }

    struct Outcome {
        var executed: [String]
        var cached: [String]
        var outputs: JSONObject
    }

    func run(
        _ prompt: Prompt, output: String = "output", type: DType = .float32,
        observer: (@Sendable (String, [[any NodeValue]]) -> Void)? = nil
    ) async throws -> Outcome {
        let engine = try engine(output: output, type: type)
        let report = await engine.validate(prompt)
        let validated = try #require(report.validated, "\(report.json.text())")
        var options = RunOptions()
        options.resultObserver = observer
        let result = await engine.run(validated, options: options)
        guard case .success = result.status else { throw NodeError("\(result.status)") }
        return Outcome(executed: result.executed, cached: result.cached, outputs: result.outputs)
    }

    func explain(_ prompt: Prompt, output: String = "output", type: DType = .float32) async throws -> [String: String] {
        let engine = try engine(output: output, type: type)
        let validated = try #require(await engine.validate(prompt).validated)
        let nodes = engine.explain(validated).nodes
        return Dictionary(
            nodes.map { ($0.id, "\($0.verdict.rawValue): \($0.reasons.joined(separator: "; "))") },
            uniquingKeysWith: { first, _ in first })
    }

    func prompt(model: String = "a.safetensors", steps: Int = 4, name: String = "x.png", place: String = "output")
        -> Prompt
    {
        Prompt([
            node("m", "Model", ["file": value(.string(model))]),
            node("u", "Use", ["model": link("m"), "steps": value(.int(Int64(steps)))]),
            node("w", "Write", ["value": link("u"), "name": value(.string(name)), "place": value(.string(place))]),
        ])
    }
}

@Suite struct StoredRunTests {
    @Test func aSecondProcessRunsNothingAndSaysTheSame() async throws {
        let place = try Installation()
        let first = try await place.run(place.prompt())
        #expect(first.executed == ["m", "u", "w"])
        let second = try await place.run(place.prompt())
        #expect(second.executed.isEmpty)
        #expect(second.cached == ["u", "w"], "models stay in memory")
        #expect(second.outputs == first.outputs)
    }

    @Test func renumberedNodesFindTheirResults() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let other = Prompt([
            node("7", "Write", ["value": link("8"), "name": "x.png", "place": "output"]),
            node("8", "Use", ["model": link("9"), "steps": 4]),
            node("9", "Model", ["file": "a.safetensors"]),
        ])
        #expect(try await place.run(other).executed.isEmpty)
    }

    @Test func aRemovedOrChangedPictureIsMadeAgainFromTheStoredOne() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let file = place.folder.path + "/output/x.png"
        try FileManager.default.removeItem(atPath: file)
        let second = try await place.run(place.prompt())
        #expect(second.executed == ["w"], "neither the model nor what used it")
        #expect(FileManager.default.fileExists(atPath: file))
        try "edited".write(toFile: file, atomically: false, encoding: .utf8)
        #expect(try await place.run(place.prompt()).executed == ["w"])
        #expect(try await place.run(place.prompt()).executed.isEmpty)
        #expect(try await place.run(place.prompt(), output: "elsewhere").executed == ["w"])
        #expect(FileManager.default.fileExists(atPath: place.folder.path + "/elsewhere/x.png"))
    }

    @Test func previewsAreMadeAgain() async throws {
        let place = try Installation()
        #expect(try await place.run(place.prompt(place: "temp")).executed == ["m", "u", "w"])
        #expect(try await place.run(place.prompt(place: "temp")).executed == ["w"])
    }

    @Test func whateverDecidesAResultIsInItsKey() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        #expect(try await place.run(place.prompt(steps: 5, name: "y.png")).executed == ["m", "u", "w"])
        #expect(try await place.run(place.prompt(model: "b.safetensors", name: "z.png")).executed == ["m", "u", "w"])
        #expect(try await place.run(place.prompt(), type: .bfloat16).executed == ["m", "u", "w"])
        // The pictures of the first and the last run are one file; the last wrote it.
        #expect(try await place.run(place.prompt()).executed == ["w"])
        try place.model("a", "other weights")
        #expect(try await place.run(place.prompt()).executed == ["m", "u", "w"])
        try place.model("a", "weights of a")
        #expect(try await place.run(place.prompt()).executed == ["w"], "the old content again")
    }

    @Test func aMovedOrTouchedModelIsTheSame() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let models = place.folder.path + "/models/loras/"
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: models + "a.safetensors")
        #expect(try await place.run(place.prompt()).executed.isEmpty)
        // A copy under the same name has another place on the disc.
        try FileManager.default.copyItem(atPath: models + "a.safetensors", toPath: models + "copy")
        try FileManager.default.removeItem(atPath: models + "a.safetensors")
        try FileManager.default.moveItem(atPath: models + "copy", toPath: models + "a.safetensors")
        #expect(try await place.run(place.prompt()).executed.isEmpty)
    }

    @Test func anEmbeddingInATextBelongsToTheKey() async throws {
        let place = try Installation()
        try FileManager.default.createDirectory(
            atPath: place.folder.path + "/models/embeddings", withIntermediateDirectories: true)
        let prompt = Prompt([
            node("n", "Name", ["text": "a cat, (embedding:style:1.2)"]),
            node("w", "Write", ["value": link("n"), "name": "t.txt", "place": "output"]),
        ])
        _ = try await place.run(prompt)
        #expect(try await place.run(prompt).executed.isEmpty)
        _ = try place.folder.write([1, 2, 3], "models/embeddings/other.safetensors")
        #expect(try await place.run(prompt).executed.isEmpty)
        _ = try place.folder.write([1, 2, 3], "models/embeddings/style.safetensors")
        #expect(try await place.run(prompt).executed == ["n", "w"])
    }

    @Test func aDamagedResultIsComputedAgain() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        for entry in ResultFolder(path: place.cache.path + "/results").entries() {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: entry.path))
            try file.seek(toOffset: 70)
            try file.write(contentsOf: Data([0xFF]))
            try file.close()
        }
        #expect(try await place.run(place.prompt()).executed == ["m", "u", "w"])
        #expect(try await place.run(place.prompt()).executed.isEmpty)
    }

    @Test func observersSeeStoredResultsToo() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let seen = Complaints()
        let again = try await place.run(
            place.prompt(), observer: { node, outputs in seen.add("\(node) \(outputs.count)") })
        #expect(again.executed.isEmpty)
        #expect(seen.all.contains("u 1"))
    }

    @Test func withinAProcessAVanishedPictureIsNoticedToo() async throws {
        let place = try Installation()
        let engine = try place.engine()
        let validated = try #require(await engine.validate(place.prompt()).validated)
        _ = await engine.run(validated)
        #expect(await engine.run(validated).executed.isEmpty)
        try FileManager.default.removeItem(atPath: place.folder.path + "/output/x.png")
        #expect(await engine.run(validated).executed == ["w"])
    }
}

@Suite struct ExplanationTests {
    @Test func beforeTheFirstRunNothingIsThere() async throws {
        let place = try Installation()
        let explained = try await place.explain(place.prompt())
        #expect(explained["w"] == "runs: there is no result of any Write")
        #expect(explained["m"] == "runs: there is no result of any Model")
        #expect(!FileManager.default.fileExists(atPath: place.folder.path + "/output"), "nothing is made by asking")
    }

    @Test func aFinishedWorkflowNeedsItsOutputsOnly() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let explained = try await place.explain(place.prompt())
        #expect(explained["w"] == "kept: ")
        #expect(explained["u"] == "not_needed: nothing that runs needs it")
        #expect(explained["m"] == "not_needed: nothing that runs needs it")
    }

    @Test func aChangeIsNamedWhereItBegan() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let explained = try await place.explain(place.prompt(steps: 6))
        #expect(explained["u"] == "runs: input steps was 4, is 6")
        #expect(explained["w"] == "runs: node u (Use): input steps was 4, is 6")
        #expect(explained["m"] == "runs: WITNESS values are not kept on disk; it is run when something needs it")
        let other = try await place.explain(place.prompt(model: "b.safetensors"))
        #expect(other["m"] == "runs: input file was \"a.safetensors\", is \"b.safetensors\"")
        #expect(other["w"] == "runs: node m (Model): input file was \"a.safetensors\", is \"b.safetensors\"")
        let renamed = try await place.explain(place.prompt(name: "y.png"))
        #expect(renamed["w"] == "runs: input name was \"x.png\", is \"y.png\"")
        #expect(renamed["u"] == "kept: ")
    }

    @Test func changedFilesAndPrecisionAreNamed() async throws {
        let place = try Installation()
        _ = try await place.run(place.prompt())
        let other = try await place.explain(place.prompt(), type: .bfloat16)
        #expect(other["m"]?.contains("backend and precision were stub F32, are stub BF16") == true, "\(other)")
        try place.model("a", "other weights")
        #expect(try await place.explain(place.prompt())["m"] == "runs: input file: the content of the file changed")
        try place.model("a", "weights of a")
        try FileManager.default.removeItem(atPath: place.folder.path + "/output/x.png")
        let gone = try await place.explain(place.prompt())
        #expect(gone["w"]?.hasSuffix("/output/x.png is not there as it was written") == true)
        #expect(gone["u"] == "kept: ")
    }

    @Test func whatChangesEveryTimeIsNamed() async throws {
        let place = try Installation()
        let prompt = Prompt([
            node("c", "Changing", ["text": "x", "broken": value(.bool(true))]),
            node("w", "Write", ["value": link("c"), "name": "c.txt", "place": "output"]),
        ])
        _ = try await place.run(prompt)
        let explained = try await place.explain(prompt)
        #expect(explained["c"] == "runs: it says that its result is another one every time")
        #expect(explained["w"] == "runs: input value comes from node c, whose results are never kept")
    }
}

@Suite struct ModelMemoryTests {
    private struct Model: ModelValue {
        static let socketType = "MODEL"
        let size: Int
        var byteCount: Int { size }
    }

    private func model(_ size: Int) -> NodeResult { NodeResult(outputs: [[Model(size: size)]]) }
    private func picture(_ size: Int) -> NodeResult {
        NodeResult(outputs: [[WitnessValue(witness: Witness {}, size: size)]])
    }

    @Test func picturesDoNotPushOutModels() {
        let cache = ResultCache(byteLimit: 100_000)
        cache.store(model(30_000), for: key("model"))
        for index in 0..<50 { cache.store(picture(5_000), for: key("\(index)")) }
        #expect(cache[key("model")] != nil)
        #expect(cache[key("49")] != nil)
        let statistics = cache.statistics
        #expect(statistics.models == 1 && statistics.byteCount <= 100_000)
    }

    @Test func modelsDoNotPushOutAllPictures() {
        let cache = ResultCache(byteLimit: 100_000)
        for index in 0..<6 { cache.store(picture(5_000), for: key("\(index)")) }
        for index in 0..<20 { cache.store(model(30_000), for: key("model \(index)")) }
        #expect(cache[key("0")] != nil && cache[key("5")] != nil)
        #expect(cache[key("model 19")] != nil)
        #expect(cache[key("model 0")] == nil)
        #expect(cache.statistics.byteCount <= 100_000)
    }

    @Test func resultsKeepToTheirOwnLimit() {
        let cache = ResultCache(byteLimit: 1_000_000, resultLimit: 20_000)
        for index in 0..<20 { cache.store(picture(5_000), for: key("\(index)")) }
        cache.store(model(500_000), for: key("model"))
        #expect(cache.statistics.byteCount - cache.statistics.modelByteCount <= 20_000)
        #expect(cache[key("model")] != nil)
    }

    /// Weights that are patched come into being when they are first used.
    @Test func aModelThatGrowsIsMeasuredAgain() {
        final class Growing: Sendable {
            let size = Atomic<Int>(1000)
        }
        struct Value: ModelValue {
            static let socketType = "MODEL"
            let state: Growing
            var byteCount: Int { state.size.load(ordering: .relaxed) }
        }
        let state = Growing()
        let cache = ResultCache(byteLimit: 100_000)
        cache.store(NodeResult(outputs: [[Value(state: state)]]), for: key("model"))
        state.size.store(80_000, ordering: .relaxed)
        cache.store(model(50_000), for: key("other"))
        #expect(cache[key("model")] == nil)
        #expect(cache.statistics.modelByteCount < 60_000)
    }
}
