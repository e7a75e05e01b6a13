public import Hashing
import JSON
import NodeKit

/// Names a node's results by everything that decides them: its type and version, its constants, the files it reads, and
/// the same of all its ancestors (engine-semantics.md §13). Node ids do not matter unless the node asks for it.
public typealias CacheKey = SHA256.Digest

/// What is known of a node's key.
enum KeyState: Sendable {
    /// Decided by values that are not known yet: a file's name comes from a link.
    case open
    /// The results must not be kept, nor those of anything that depends on them.
    case never
    case known(CacheKey)
}

/// Builds keys. Fields are preceded by their length, so that no two different nodes give the same bytes.
struct KeyBuilder {
    private var bytes: [UInt8] = []

    /// Increased when the meaning of the key changes.
    private static let format = 1

    /// - Parameter environment: what every result of the run depends on, such as the precision.
    init(_ schema: NodeSchema, environment: String) {
        add("graphrun \(Self.format)")
        add(EngineVersion.identity)
        add(environment)
        add(schema.id)
        add(String(schema.version))
    }

    mutating func add(nodeID: String) {
        add("node")
        add(nodeID)
    }
    mutating func add(changeText: String) {
        add("change")
        add(changeText)
    }
    mutating func add(input name: String, constant: JSON) {
        add("constant")
        add(name)
        add(constant.text(.compact))
    }
    mutating func add(undeclared name: String, constant: JSON) {
        add("undeclared")
        add(name)
        add(constant.text(.compact))
    }
    mutating func add(input name: String, source: CacheKey, slot: Int) {
        add("link")
        add(name)
        add(String(slot))
        bytes.append(contentsOf: source.bytes)
    }
    mutating func add(file fingerprint: String, of name: String) {
        add("file")
        add(name)
        add(fingerprint)
    }

    consuming func finish() -> CacheKey { SHA256.digest(bytes) }

    private mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func add(_ word: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
