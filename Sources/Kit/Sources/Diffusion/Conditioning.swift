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
}

extension ConditioningKey {
    public static var exportedPrefix: String { name }
    public static func exported(_ value: Value) -> [(name: String, tensor: Tensor)] { [] }
}

/// One text (or other) condition with its options.
public struct ConditioningEntry: Sendable {
    private struct Property: Sendable {
        var value: any Sendable
        var export: @Sendable () -> [(name: String, tensor: Tensor)]
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
            properties[ObjectIdentifier(key)] = Property(value: newValue) {
                Key.exported(newValue).map { part in
                    ([Key.exportedPrefix, part.name].filter { !$0.isEmpty }.joined(separator: "."), part.tensor)
                }
            }
        }
    }

    /// Every property that has a tensor form, sorted by name.
    public var exportedProperties: [(name: String, tensor: Tensor)] {
        properties.values.flatMap { $0.export() }.sorted { $0.name < $1.name }
    }
}

/// The entries of a CONDITIONING value; they are averaged by strength where several are active.
public typealias Conditioning = [ConditioningEntry]

/// The pooled text vector `[1, width]`.
public enum PooledOutput: ConditioningKey {
    public static let name = "pooled_output"
    public static func exported(_ value: Tensor) -> [(name: String, tensor: Tensor)] { [("", value)] }
}

/// Distilled guidance strength; `nil` inside means that the network gets no guidance at all.
public enum Guidance: ConditioningKey {
    public static let name = "guidance"
    public static func exported(_ value: Float?) -> [(name: String, tensor: Tensor)] {
        guard let value, let tensor = try? Tensor([value], shape: []) else { return [] }
        return [("", tensor)]
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
}
