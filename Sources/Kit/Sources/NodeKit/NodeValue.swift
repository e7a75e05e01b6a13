public import JSON
public import Tensors

/// A type of value that travels along links.
///
/// A plugin makes its own type a socket type by conforming it; two types with the same ``socketType`` are connectable
/// as far as the graph is concerned, and a value of the wrong Swift type is reported when the node is run.
public protocol NodeValue: InputValue, OutputValue {
    /// The name in workflow files and schemas: "IMAGE", "LATENT", "MY_TYPE".
    static var socketType: String { get }
    /// The value as tensors for `--save-outputs`; the suffix "" stands for the output's own name.
    var exportedTensors: [(suffix: String, tensor: Tensor)] { get }
    /// Bytes of memory held, for cache accounting.
    var byteCount: Int { get }
}

extension NodeValue {
    public var exportedTensors: [(suffix: String, tensor: Tensor)] { [] }
    public var byteCount: Int { exportedTensors.reduce(64) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount } }
}

/// A value that can be written in a workflow file: numbers, texts, switches, choices.
public protocol LiteralValue: NodeValue {
    /// The value written in a workflow as `json`, by the reference's conversion rules (engine-semantics.md §3.2);
    /// `nil` when it cannot be read as this type.
    init?(literal json: JSON)
    var literal: JSON { get }
}

extension Int: LiteralValue {
    public static let socketType = "INT"
    public init?(literal json: JSON) {
        switch json {
        case .int(let value): self.init(exactly: value)
        case .uint(let value): self = Int(truncatingIfNeeded: value)
        case .double(let value):
            guard value.isFinite, abs(value) < 9.2e18 else { return nil }
            self.init(value)
        case .bool(let value): self = value ? 1 : 0
        case .string(let text):
            let trimmed = text.trimmed
            if let value = Int(trimmed) {
                self = value
            } else if let value = UInt64(trimmed) {
                self = Int(truncatingIfNeeded: value)
            } else {
                return nil
            }
        default: return nil
        }
    }
    public var literal: JSON { .int(Int64(self)) }
}

/// Seeds: 64 bits without sign. Negative numbers count modulo 2⁶⁴.
extension UInt64: LiteralValue {
    public static let socketType = "INT"
    public init?(literal json: JSON) {
        switch json {
        case .uint(let value): self = value
        case .string(let text):
            if let value = UInt64(text.trimmed) {
                self = value
                return
            }
            fallthrough
        default:
            if case .double(let value) = json, value >= 9.2e18, value < 18446744073709551616.0 {
                self.init(value)
                return
            }
            guard let value = Int(literal: json) else { return nil }
            self.init(bitPattern: Int64(value))
        }
    }
    public var literal: JSON { self > UInt64(Int64.max) ? .uint(self) : .int(Int64(self)) }
}

extension Double: LiteralValue {
    public static let socketType = "FLOAT"
    public init?(literal json: JSON) {
        switch json {
        case .bool(let value): self = value ? 1 : 0
        case .string(let text):
            guard let value = Double(text.trimmed) else { return nil }
            self = value
        default:
            guard let value = json.doubleValue else { return nil }
            self = value
        }
    }
    public var literal: JSON { .double(self) }
}

extension Bool: LiteralValue {
    public static let socketType = "BOOLEAN"
    /// Truthiness, as the reference: every text but the empty one is true, also "false".
    public init?(literal json: JSON) {
        switch json {
        case .bool(let value): self = value
        case .int(let value): self = value != 0
        case .uint: self = true
        case .double(let value): self = value != 0
        case .string(let text): self = !text.isEmpty
        case .null: self = false
        case .array(let items): self = !items.isEmpty
        case .object(let members): self = !members.isEmpty
        }
    }
    public var literal: JSON { .bool(self) }
}

extension String: LiteralValue {
    public static let socketType = "STRING"
    public init?(literal json: JSON) {
        switch json {
        case .string(let text): self = text
        case .bool(let value): self = value ? "True" : "False"
        case .null: self = "None"
        default: self = json.text(.python)
        }
    }
    public var literal: JSON { .string(self) }

    /// Without white space at both ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

/// A value of any type: wildcard sockets ("*").
public struct AnyNodeValue: NodeValue {
    public static let socketType = "*"
    public let base: any NodeValue
    public init(_ base: any NodeValue) { self.base = base }
    public var exportedTensors: [(suffix: String, tensor: Tensor)] { base.exportedTensors }
    public var byteCount: Int { base.byteCount }
}

/// A constant of a workflow file that has no literal type of its own (an object, a list).
public struct JSONNodeValue: NodeValue {
    public static let socketType = "*"
    public let json: JSON
    public init(_ json: JSON) { self.json = json }
}
