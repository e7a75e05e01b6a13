import Engine
import JSON
import NodeKit
import Workflow

/// The path of a workflow file from its bytes to the answer about it: reading, conversion, validation, the answer as
/// JSON. What is fuzzed (Fuzzing/) and what the tests run on changed files.
public enum FuzzTarget {
    /// How far a file came.
    public enum Outcome: Sendable, Hashable {
        case refused, invalid, valid
    }

    /// Carries one file through. Traps are what fuzzing looks for; what a sound program guarantees is checked.
    @discardableResult public static func examine(_ bytes: [UInt8]) async -> Outcome {
        let conversion: Conversion
        do throws(WorkflowError) {
            conversion = try WorkflowFile(bytes: bytes, name: "fuzz").conversion(schemas: { registry[$0]?.schema })
        } catch {
            precondition(error.description.utf8.count < 20_000, "a message of unbounded length")
            return .refused
        }
        _ = ConversionNote.grouped(conversion.notes)
        let report = await GraphEngine.validate(
            conversion.prompt, registry: registry, files: NoFiles(),
            options: ValidationOptions(unknownTypes: .refusedWhereNeeded, hints: conversion.modelFiles))
        _ = report.json.text()
        _ = report.missing.json.text()
        // What is told as runnable was converted, so it can be written and read.
        if let again = try? JSON(parsing: conversion.prompt.metadataText) {
            precondition((try? Prompt(again))?.ids == conversion.prompt.ids, "a prompt that cannot be read again")
        }
        return report.validated == nil ? .invalid : .valid
    }

    private static let registry = NodeRegistry([
        NodePack("fuzz", module: "fuzz", nodes: [Everything.self, Loader.self, Picture.self, Saver.self])
    ])
}

/// An input of every kind.
private struct Everything: Node {
    static let info = NodeInfo("KSampler", category: "fuzz")
    @Input var model: AnyNodeValue
    @Input(.controlAfterGenerate) var seed: UInt64
    @Input(.range(1...10000)) var steps = 20
    @Input(.range(0.0...100.0)) var cfg = 8.0
    @Input(.choices(["euler", "heun"])) var samplerName: String
    @Input var text: String
    @Input var flag = true
    @Input(.optional) var image: AnyNodeValue?
    @Output("LATENT") var latent: Int
    func run(_ context: NodeContext) async throws { latent = steps }
}

private struct Loader: Node {
    static let info = NodeInfo("LoraLoader", category: "fuzz")
    @Input(.files("loras")) var name: String
    @Output("MODEL") var path: String
    func run(_ context: NodeContext) async throws { path = name }
}

private struct Picture: Node {
    static let info = NodeInfo("LoadImage", category: "fuzz")
    @Input(.inputImages, .imageUpload) var image: String
    @Output("IMAGE") var path: String
    func run(_ context: NodeContext) async throws { path = image }
}

private struct Saver: Node {
    static let info = NodeInfo("SaveImage", category: "fuzz", isOutput: true)
    @Input var images: AnyNodeValue
    @Input var filenamePrefix = "x"
    func run(_ context: NodeContext) async throws {}
}

/// Two files that exist by name.
private struct NoFiles: NodeFiles {
    func model(_ folder: String, _ name: String) throws -> String {
        guard modelNames(folder).contains(name) else { throw NodeError("no such file") }
        return "/models/" + name
    }
    func modelNames(_ folder: String) -> [String] { ["a.safetensors"] }
    func modelFolders(_ folder: String) -> [String] { ["/models"] }
    func input(_ name: String) throws -> String {
        guard name == "x.png" else { throw NodeError("no such picture") }
        return "/input/x.png"
    }
    func inputNames() -> [String] { ["x.png"] }
    var outputFolder: String { "/output" }
    var temporaryFolder: String { "/temp" }
    func fingerprint(path: String) throws -> String { "1" }
}
