public import Hashing
public import JSON

/// What a result was made from, in words: kept with it, so that ``CacheExplanation`` can say what has changed.
public struct ResultRecord: Sendable, Hashable {
    public enum Input: Sendable, Hashable {
        /// Long texts are shortened, with their digest.
        case constant(JSON)
        /// An output of the node that had this key.
        case link(source: CacheKey, slot: Int)
    }

    /// The node's id in the workflow.
    public var node: String
    public var title: String
    public var type: String
    public var version: Int
    /// Backend and precision.
    public var environment: String
    /// By port.
    public var inputs: [String: Input]
    /// Digests of the files that inputs name, by port.
    public var files: [String: String]
    /// The build that made it.
    public var engine: String

    public init(
        node: String, title: String, type: String, version: Int, environment: String, inputs: [String: Input] = [:],
        files: [String: String] = [:], engine: String = EngineVersion.identity
    ) {
        self.node = node
        self.title = title
        self.type = type
        self.version = version
        self.environment = environment
        self.inputs = inputs
        self.files = files
        self.engine = engine
    }

    /// A constant as a record keeps it.
    static func shortened(_ json: JSON) -> JSON {
        let text = json.text()
        if text.utf8.count <= 400 { return json }
        let digest = SHA256.digest(text.utf8).description.prefix(16)
        return .string("\(String(text.prefix(200)))… (\(text.utf8.count) bytes, SHA-256 \(digest)…)")
    }
}

extension ResultRecord {
    var json: JSON {
        var members: JSONObject = [
            "node": .string(node), "title": .string(title), "type": .string(type), "version": .int(Int64(version)),
            "environment": .string(environment), "engine": .string(engine),
        ]
        var values = JSONObject()
        for (name, input) in inputs.sorted(by: { $0.key < $1.key }) {
            switch input {
            case .constant(let json): values[name] = .object(["is": json])
            case .link(let source, let slot):
                values[name] = .object(["from": .string(source.description), "slot": .int(Int64(slot))])
            }
        }
        members["inputs"] = .object(values)
        if !files.isEmpty {
            var list = JSONObject()
            for (name, digest) in files.sorted(by: { $0.key < $1.key }) { list[name] = .string(digest) }
            members["files"] = .object(list)
        }
        return .object(members)
    }

    init?(_ json: JSON) {
        guard let node = json["node"]?.stringValue, let title = json["title"]?.stringValue,
            let type = json["type"]?.stringValue, let version = json["version"]?.intValue,
            let environment = json["environment"]?.stringValue, let values = json["inputs"]?.objectValue
        else { return nil }
        self.init(node: node, title: title, type: type, version: version, environment: environment)
        for (name, value) in values {
            if let constant = value["is"] {
                inputs[name] = .constant(constant)
            } else if let source = value["from"]?.stringValue.flatMap({ CacheKey(hexadecimal: $0) }),
                let slot = value["slot"]?.intValue
            {
                inputs[name] = .link(source: source, slot: slot)
            } else {
                return nil
            }
        }
        for (name, digest) in json["files"]?.objectValue ?? JSONObject() { files[name] = digest.stringValue }
        engine = json["engine"]?.stringValue ?? ""
    }
}

/// A record with those of the nodes before it that have no result of their own on disk.
public struct ResultLineage: Sendable {
    public var record: ResultRecord
    public var ancestors: [CacheKey: ResultRecord]

    public init(_ record: ResultRecord, ancestors: [CacheKey: ResultRecord] = [:]) {
        self.record = record
        self.ancestors = ancestors
    }
}
