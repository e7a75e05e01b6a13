import ComfyrollNodes
import CoreNodes
import CropAndStitchNodes
import CustomScriptsNodes
import EssentialsNodes
import Foundation
import JPSNodes
import JSON
import KJNodes
import NodeKit
import RgthreeNodes
import SmallPacks
import Synchronization
import Tensors
import TestSupport
import Testing
import XFluxNodes

let packs =
    [
        kjNodesPack, rgthreePack, customScriptsPack, jpsPack, comfyrollPack, essentialsPack, cropAndStitchPack,
        xFluxPack,
    ] + smallPacks

func definition(_ id: String) throws -> NodeDefinition {
    try #require(packs.flatMap(\.definitions).first { $0.schema.id == id }, "no node \(id)")
}

/// Runs a node on single values; ports that are not named get their defaults.
func call(
    _ id: String, _ inputs: [String: any NodeValue] = [:], _ context: NodeContext? = nil
) async throws -> [[any NodeValue]] {
    let definition = try definition(id)
    var values = inputs
    for input in definition.schema.inputs where values[input.name] == nil && !input.isOptional {
        if let literal = input.options["default"] {
            switch literal {
            case .int(let number): values[input.name] = Int(number)
            case .uint(let number): values[input.name] = number
            case .double(let number): values[input.name] = number
            case .bool(let isTrue): values[input.name] = isTrue
            case .string(let text): values[input.name] = text
            default: break
            }
        } else if case .choice(.fixed(let names)) = input.kind, let first = names.first {
            values[input.name] = first
        }
    }
    return try await definition.run(values.mapValues { [$0] }, context ?? Installation().context())
}

/// One output of a node, of a known type.
func result<Value: NodeValue>(
    _ id: String, _ inputs: [String: any NodeValue] = [:], _ context: NodeContext? = nil, output: Int = 0,
    as type: Value.Type = Value.self
) async throws -> Value {
    let results = try await call(id, inputs, context)
    return try #require(results[output].first as? Value, "\(id): output \(output) is \(results[output])")
}

/// The message of what a call throws; "" if it succeeds.
func failure(_ id: String, _ inputs: [String: any NodeValue] = [:], _ context: NodeContext? = nil) async -> String {
    do {
        _ = try await call(id, inputs, context)
        return ""
    } catch {
        return "\(error)"
    }
}

/// Folders that do not exist, and a record of what nodes say.
final class Installation: NodeFiles, NodeEvents, Sendable {
    private let record = Mutex((shown: [JSONObject](), warnings: [String]()))
    let root = NSTemporaryDirectory() + "graphrun-packs-" + UUID().uuidString

    init() throws {
        for folder in ["temp", "output", "models/loras", "models/xlabs/loras", "models/xlabs/controlnets"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
    }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    func context(node: String = "7", prompt: JSON = .null, extraPNGInfo: JSONObject = JSONObject()) -> NodeContext {
        NodeContext(
            nodeID: node, backend: ReferenceBackend(), files: self, events: self, prompt: prompt,
            extraPNGInfo: extraPNGInfo)
    }
    var shown: [JSONObject] { record.withLock { $0.shown } }
    var warnings: [String] { record.withLock { $0.warnings } }

    /// Puts a safetensors file of single float32 zeros into a model folder.
    func add(_ folder: String, _ name: String, keys: [String]) throws {
        let entries = keys.enumerated().map { index, key in
            #""\#(key)": {"dtype": "F32", "shape": [1], "data_offsets": [\#(4 * index), \#(4 * index + 4)]}"#
        }
        let header = Data("{\(entries.joined(separator: ", "))}".utf8)
        var length = UInt64(header.count).littleEndian
        let data = Data(bytes: &length, count: 8) + header + Data(count: 4 * keys.count)
        try data.write(to: URL(filePath: "\(root)/models/\(folder)/\(name)"))
    }

    func model(_ folder: String, _ name: String) throws -> String {
        let path = "\(root)/models/\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { throw NodeError("no \(folder) file \"\(name)\"") }
        return path
    }
    func modelNames(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/models/\(folder)").sorted()) ?? []
    }
    func modelFolders(_ folder: String) -> [String] { ["\(root)/models/\(folder)"] }
    func input(_ name: String) throws -> String { throw NodeError("no input \(name)") }
    func inputNames() -> [String] { [] }
    var outputFolder: String { root + "/output" }
    var temporaryFolder: String { root + "/temp" }
    func fingerprint(path: String) throws -> String { path }

    func checkCancellation() throws {}
    func progress(node: String, done: Double, total: Double) {}
    func warning(node: String, _ message: String) { record.withLock { $0.warnings.append(message) } }
    func ui(node: String, _ output: JSONObject) { record.withLock { $0.shown.append(output) } }
}

/// Expected values, made by Files/make_fixtures.py.
enum Fixture {
    static func json(_ name: String) throws -> JSON {
        let url = try #require(Bundle.module.resourceURL).appending(path: "Files/" + name)
        return try JSON(parsing: [UInt8](Data(contentsOf: url)))
    }

    static let pictures = try? json("pictures.json")

    static func tensor(_ name: String) throws -> Tensor {
        let entry = try #require(pictures?[name], "no fixture \(name)")
        let shape = try #require(entry["shape"]?.arrayValue?.map { $0.intValue ?? 0 })
        let values = try #require(entry["values"]?.arrayValue?.map { Float($0.doubleValue ?? .nan) })
        return try Tensor(values, shape: Shape(shape))
    }
    static func image(_ name: String) throws -> Image { Image(try tensor(name)) }
    static func mask(_ name: String) throws -> Mask { Mask(try tensor(name)) }
}

/// The largest difference between two tensors; infinite for different shapes.
func distance(_ a: Tensor, _ b: Tensor) throws -> Float {
    guard a.shape == b.shape else {
        Issue.record("shapes \(a.shape) and \(b.shape)")
        return .infinity
    }
    return zip(try a.floats(), try b.floats()).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
