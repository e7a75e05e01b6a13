import Foundation
import Hashing
import JSON
import NodeKit
import Synchronization
import Tensors
import Workflow

@testable import Engine

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "/graphrun-engine-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// What a store complained of.
final class Complaints: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// A store that keeps everything, however quick it was.
struct TestStore {
    let folder: TemporaryFolder
    let complaints = Complaints()
    let store: ResultStore
    var results: ResultFolder { ResultFolder(path: "\(folder.path)/results") }

    init(
        _ folder: TemporaryFolder = TemporaryFolder(), byteLimit: Int? = 1 << 30, path: String? = nil,
        types: StorableTypes = .standard, keepsAll: Bool = true
    ) {
        self.folder = folder
        var policy = ResultStore.Policy()
        if keepsAll {
            policy.leastSeconds = 0
            policy.readingSpeed = .infinity
        }
        let complaints = complaints
        store = ResultStore(
            CacheFolder(path ?? folder.path), byteLimit: byteLimit, types: types, policy: policy,
            warn: { complaints.add($0) })
    }

    func put(_ outputs: [[any NodeValue]], _ name: String, seconds: Double = 0.1, ui: JSONObject? = nil) {
        store.store(
            NodeResult(outputs: outputs, ui: ui), for: key(name), seconds: seconds, isOutput: ui != nil
        ) { ResultLineage(ResultRecord(node: "1", title: name, type: "Test", version: 1, environment: "cpu")) }
    }

    func get(_ name: String) -> NodeResult? { store.lookUp(key(name), StubFiles()) }
    func path(_ name: String) -> String { results.path(of: key(name)) }
    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name)))) }
}

func key(_ text: String) -> CacheKey { SHA256.digest(text.utf8) }

/// A tensor of numbers that differ.
func ramp(_ shape: Shape, _ type: DType = .float32) throws -> Tensor {
    try Tensor((0..<shape.count).map { Float($0 % 97) * 0.37 - 3 }, shape: shape).converted(to: type)
}

/// The bits of a value that was stored, as text: equal exactly for equal values.
func bits(_ tensor: Tensor) throws -> String {
    let digest = try tensor.converted(to: tensor.dtype).withBytes { SHA256.digest(Array($0)) }
    return "\(tensor.dtype.rawValue) \(tensor.shape) \(digest)"
}
