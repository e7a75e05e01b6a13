internal import JSON
public import Tensors

/// A named, typed property of a conditioning entry. Families and plugins declare their own.
public protocol ConditioningKey: Sendable {
    associatedtype Value: Sendable
    /// The reference's name of the property, used where outputs are saved ("guidance").
    static var name: String { get }
    /// What exported names begin with; ``name`` unless the reference spreads the property over several of its own.
    static var exportedPrefix: String { get }
    /// The value as tensors with names for `--save-outputs`; the name "" stands for the key's own.
    static func exported(_ value: Value) -> [(name: String, tensor: Tensor)]
    /// The value as the cache on disk keeps it; `nil` (what a key says that does not implement it) where it cannot be
    /// kept, and with it the whole conditioning.
    static func stored(_ value: Value) -> StoredContent?
    /// What ``stored(_:)`` wrote; `nil` when the content is something else.
    static func restored(_ content: StoredContent) -> Value?
}

extension ConditioningKey {
    public static var exportedPrefix: String { name }
    public static func exported(_ value: Value) -> [(name: String, tensor: Tensor)] { [] }
    public static func stored(_ value: Value) -> StoredContent? { nil }
    public static func restored(_ content: StoredContent) -> Value? { nil }
}

/// One text (or other) condition with its options.
public struct ConditioningEntry: Sendable {
    private struct Property: Sendable {
        var value: any Sendable
        var key: any ConditioningKey.Type
        var export: @Sendable () -> [(name: String, tensor: Tensor)]
        var store: @Sendable () -> StoredContent?
    }

    /// Token features `[1, tokens, width]`.
    public var context: Tensor
    private var properties: [ObjectIdentifier: Property] = [:]

    public init(context: Tensor) { self.context = context }

    public subscript<Key: ConditioningKey>(key: Key.Type) -> Key.Value? {
        get {
            // Not `properties[…]?.value as? Key.Value`: for an optional `Value` that turns absence into a present nil.
            guard let property = properties[ObjectIdentifier(key)] else { return nil }
            return property.value as? Key.Value
        }
        set {
            guard let newValue else {
                properties[ObjectIdentifier(key)] = nil
                return
            }
            properties[ObjectIdentifier(key)] = Property(value: newValue, key: key) {
                Key.exported(newValue).map { part in
                    ([Key.exportedPrefix, part.name].filter { !$0.isEmpty }.joined(separator: "."), part.tensor)
                }
            } store: {
                Key.stored(newValue)
            }
        }
    }

    /// Every property that has a tensor form, sorted by name.
    public var exportedProperties: [(name: String, tensor: Tensor)] {
        properties.values.flatMap { $0.export() }.sorted { $0.name < $1.name }
    }

    /// Every property as it can be written down, sorted by name; `nil` content for one that cannot.
    public var storedProperties: [(key: any ConditioningKey.Type, content: StoredContent?)] {
        properties.values.map { ($0.key, $0.store()) }.sorted { $0.key.name < $1.key.name }
    }

    /// Sets a property to what was written down.
    ///
    /// - Returns: whether the content was the key's.
    public mutating func restore<Key: ConditioningKey>(_ key: Key.Type, _ content: StoredContent) -> Bool {
        guard let value = Key.restored(content) else { return false }
        self[key] = .some(value)
        return true
    }
}

/// The entries of a CONDITIONING value; they are averaged by strength where several are active.
public typealias Conditioning = [ConditioningEntry]

/// The pooled text vector `[1, width]`.
public enum PooledOutput: ConditioningKey {
    public static let name = "pooled_output"
    public static func exported(_ value: Tensor) -> [(name: String, tensor: Tensor)] { [("", value)] }
    public static func stored(_ value: Tensor) -> StoredContent? { StoredContent(value) }
    public static func restored(_ content: StoredContent) -> Tensor? { content.onlyTensor }
}

/// Distilled guidance strength; `nil` inside means that the network gets no guidance at all.
public enum Guidance: ConditioningKey {
    public static let name = "guidance"
    public static func exported(_ value: Float?) -> [(name: String, tensor: Tensor)] {
        guard let value, let tensor = try? Tensor([value], shape: []) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Float?) -> StoredContent? {
        StoredContent(value.map { .exactly(Double($0)) } ?? .null)
    }
    public static func restored(_ content: StoredContent) -> Float?? {
        if content.json.isNull { return .some(nil) }
        return content.json.exactNumber.map { Float($0) }
    }
}

/// The part of a run in which the entry is used, in fractions of the schedule.
public struct PercentRange: Sendable, Hashable {
    public var start: Double
    public var end: Double
    public init(start: Double, end: Double) {
        self.start = start
        self.end = end
    }
}

/// `ConditioningSetTimestepRange`.
public enum TimestepRange: ConditioningKey {
    public static let name = "timestep_range"
    public static func stored(_ value: PercentRange) -> StoredContent? {
        StoredContent(.array([.exactly(value.start), .exactly(value.end)]))
    }
    public static func restored(_ content: StoredContent) -> PercentRange? {
        guard let start = content.json[0]?.exactNumber, let end = content.json[1]?.exactNumber else { return nil }
        return PercentRange(start: start, end: end)
    }
    public static let exportedPrefix = ""
    public static func exported(_ value: PercentRange) -> [(name: String, tensor: Tensor)] {
        [("start_percent", value.start), ("end_percent", value.end)].compactMap { name, percent in
            (try? Tensor([Float(percent)], shape: [])).map { (name, $0) }
        }
    }
}

/// Weight of the entry among others (1 if absent).
public enum EntryStrength: ConditioningKey {
    public static let name = "strength"
    public static func exported(_ value: Float) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([value], shape: []) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Float) -> StoredContent? { StoredContent(.exactly(Double(value))) }
    public static func restored(_ content: StoredContent) -> Float? { content.json.exactNumber.map { Float($0) } }
}

/// Whether an entry is being evaluated as what the picture should not show; set by guiders.
public enum NegativePrompt: ConditioningKey {
    public static let name = "is_negative"
    public typealias Value = Bool
}

/// The ControlNets of an entry, in the order they were attached.
public enum Control: ConditioningKey {
    public static let name = "control"
    public typealias Value = [ControlAttachment]
}

/// Whether a positive entry's ControlNet is also for negatives without one (old `ControlNetApply`); false where the
/// apply node attached it to both.
public enum ControlForNegative: ConditioningKey {
    public static let name = "control_apply_to_uncond"
    public static func exported(_ value: Bool) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([value ? 1 : 0], shape: []).converted(to: .bool) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Bool) -> StoredContent? { StoredContent(.bool(value)) }
    public static func restored(_ content: StoredContent) -> Bool? { content.json.boolValue }
}
