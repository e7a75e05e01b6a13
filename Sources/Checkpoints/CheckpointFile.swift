internal import JSON
public import Tensors

/// The tensors of a model file, or of the shards that an index file lists.
public struct CheckpointFile: Sendable {
    public let path: String
    private let shards: [SafetensorsFile]
    private let shardOfKey: [String: Int]

    /// Opens `….safetensors` or a sharded `….safetensors.index.json`.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        if path.hasSuffix(".json") {
            (shards, shardOfKey) = try Self.openIndex(path)
        } else {
            let file = try SafetensorsFile(path: path)
            shards = [file]
            shardOfKey = Dictionary(uniqueKeysWithValues: file.keys.map { ($0, 0) })
        }
    }

    public var keys: [String] { shardOfKey.keys.sorted() }
    public var metadata: [String: String] { shards.first?.header.metadata ?? [:] }
    public func contains(_ key: String) -> Bool { shardOfKey[key] != nil }
    /// Type and shape of a tensor.
    public func stored(_ key: String) -> StoredTensor? { shardOfKey[key].flatMap { shards[$0].header.tensors[key] } }
    public func tensor(_ key: String) throws(CheckpointError) -> Tensor? {
        guard let shard = shardOfKey[key] else { return nil }
        return try shards[shard].tensor(key)
    }

    private static func openIndex(_ path: String) throws(CheckpointError) -> ([SafetensorsFile], [String: Int]) {
        let index: JSON
        do {
            let file = try MappedFile(path: path)
            index = try JSON(parsing: file.bytes(0..<min(file.byteCount, 200 << 20)))
        } catch let error as JSONError {
            throw CheckpointError(.malformed, "\(path): not an index of shards: \(error)")
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(.unreadable, "\(path): \(error)")
        }
        guard let map = index["weight_map"]?.objectValue else {
            throw CheckpointError(.malformed, "\(path): the index has no \"weight_map\" object")
        }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var shards: [SafetensorsFile] = []
        var numbers: [String: Int] = [:]
        var owner: [String: Int] = [:]
        for (key, value) in map {
            guard let name = value.stringValue else {
                throw CheckpointError(
                    .malformed, "\(path): the shard of \"\(key)\" is \(value.kind), expected a file name")
            }
            guard !name.isEmpty, !name.contains("/"), !name.contains("\0"), name != "..", name.hasSuffix(".safetensors")
            else {
                throw CheckpointError(
                    .malformed, "\(path): the shard \"\(name)\" is not a .safetensors file beside the index")
            }
            if numbers[name] == nil {
                numbers[name] = shards.count
                shards.append(try SafetensorsFile(path: folder + name))
            }
            guard let number = numbers[name], shards[number].header.tensors[key] != nil else {
                throw CheckpointError(
                    .malformed, "\(path): \"\(key)\" is not in the shard \(name), which should have it")
            }
            owner[key] = number
        }
        return (shards, owner)
    }
}
