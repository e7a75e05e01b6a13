import CoreNodes
import Engine
import Foundation
import Images
import JSON
import NodeKit
import OrderedCollections
import Synchronization
import TestSupport
import TestingNodes
import Workflow

/// A graph under construction. Ids have the brackets that test frameworks put into them.
struct Sketch {
    var nodes = OrderedDictionary<String, PromptNode>()
    private let name: String

    init(_ name: String = "test[param-1.5]") { self.name = name }

    /// One of a node's outputs.
    struct Out {
        var id: String
        var slot: Int
    }

    @discardableResult
    mutating func add(_ type: String, _ inputs: KeyValuePairs<String, PromptValue> = [:]) -> String {
        let id = "\(name)\(nodes.count + 1)"
        var prompt = PromptNode(
            classType: type, inputs: OrderedDictionary(uniqueKeysWithValues: inputs.map { ($0.key, $0.value) }))
        if type == "SaveImage" && prompt.inputs["filename_prefix"] == nil {
            prompt.inputs["filename_prefix"] = .literal(.string("execution[\(name)]"))
        }
        nodes[id] = prompt
        return id
    }

    mutating func set(_ id: String, _ input: String, _ value: PromptValue) { nodes[id]?.inputs[input] = value }

    mutating func stub(_ content: String, size: Int = 512, batch: Int = 1) -> String {
        add(
            "StubImage",
            [
                "content": .literal(.string(content)), "height": int(size), "width": int(size),
                "batch_size": int(batch),
            ])
    }
    mutating func mask(_ value: Double, size: Int = 512) -> String {
        add("StubMask", ["value": number(value), "height": int(size), "width": int(size), "batch_size": int(1)])
    }
    mutating func mix(_ a: String, _ b: String, _ mask: String) -> String {
        add("TestLazyMixImages", ["image1": out(a), "image2": out(b), "mask": out(mask)])
    }
    mutating func save(_ image: String, _ slot: Int = 0) -> String { add("SaveImage", ["images": out(image, slot)]) }
    mutating func preview(_ image: String) -> String { add("PreviewImage", ["images": out(image)]) }
    mutating func sleep(_ value: String, _ seconds: Double) -> String {
        add("TestSleep", ["value": out(value), "seconds": number(seconds)])
    }
    mutating func list(_ values: [PromptValue]) -> String {
        let node = add("TestMakeListNode")
        for (index, value) in values.enumerated() { set(node, "value\(index + 1)", value) }
        return node
    }

    var prompt: Prompt { Prompt(nodes: nodes) }
}

func out(_ id: String, _ slot: Int = 0) -> PromptValue { .link(PromptLink(node: id, slot: slot)) }
func int(_ value: Int) -> PromptValue { .literal(.int(Int64(value))) }
func number(_ value: Double) -> PromptValue { .literal(.double(value)) }
func text(_ value: String) -> PromptValue { .literal(.string(value)) }
func flag(_ value: Bool) -> PromptValue { .literal(.bool(value)) }

/// One process that runs many prompts, as the protocol's clients see it.
final class Session: Sendable {
    let root: String
    let engine: GraphEngine
    private let files: ModelFolders

    init() throws {
        root = NSTemporaryDirectory() + "graphrun-protocol-" + UUID().uuidString
        for folder in ["input", "output", "models"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        files = try ModelFolders(models: "\(root)/models", input: "\(root)/input", output: "\(root)/output")
        engine = GraphEngine(
            registry: NodeRegistry([corePack, testingPack]), backend: ReferenceBackend(), files: files,
            cache: ResultCache(byteLimit: 1 << 30))
    }

    deinit {
        files.removeTemporaryFolder()
        try? FileManager.default.removeItem(atPath: root)
    }

    struct Outcome {
        var report: ValidationReport
        var result = RunResult()
        var events: [EngineEvent] = []
        var seconds = 0.0
        var session: Session

        /// Whether the prompt was refused.
        var isRefused: Bool { report.validated == nil }
        /// Nodes that were seen executing.
        var ran: Set<String> {
            Set(events.compactMap { if case .executing(let node) = $0.kind { node.id } else { nil } })
        }
        var cached: Set<String> { Set(result.cached) }
        var failure: ExecutionFailure? { if case .failed(let failure) = result.status { failure } else { nil } }
        func ranOrCached(_ ids: String...) -> Bool { ids.allSatisfy { ran.contains($0) || cached.contains($0) } }

        /// The pictures that an output node shows; of each the mean of its bytes.
        func means(_ id: String) throws -> [Double] {
            try (result.outputs[id]?["images"]?.arrayValue ?? []).map { try session.mean($0) }
        }
    }

    /// Validates and runs.
    func run(_ sketch: Sketch, targets: [String]? = nil, parallelNodes: Int = 2) async -> Outcome {
        let report = await engine.validate(sketch.prompt, targets: targets)
        var outcome = Outcome(report: report, session: self)
        guard let validated = report.validated else { return outcome }
        let events = Mutex<[EngineEvent]>([])
        let start = ContinuousClock.now
        outcome.result = await engine.run(validated, options: RunOptions(promptID: "p", parallelNodes: parallelNodes)) {
            event in events.withLock { $0.append(event) }
        }
        outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
        outcome.events = events.withLock { $0 }
        return outcome
    }

    /// The mean byte of a picture that a node shows.
    private func mean(_ image: JSON) throws -> Double {
        let isOutput = image["type"] == .string("output")
        let folder = isOutput ? "\(root)/output" : files.temporaryFolder
        let parts = [folder, image["subfolder"]?.stringValue ?? "", image["filename"]?.stringValue ?? ""]
        let picture = try ImageFile(path: parts.filter { !$0.isEmpty }.joined(separator: "/")).picture()
        let values = try picture.image.floats()
        let mean = Double(values.reduce(0) { $0 + Double($1) }) / Double(values.count) * 255
        return (mean * 1000).rounded() / 1000
    }
}
