public import Diffusion
internal import JSON
internal import Tensors

/// A value that the cache on disk can keep, so that a later process need not compute it again.
///
/// ```swift
/// extension Palette: StorableValue {
///     static let storedForm = "my-pack.palette.1"
///     func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(.string(name), tensors: [colours]) }
///     init?(stored content: StoredContent, _ types: StorableTypes) {
///         guard let name = content.json.stringValue, let colours = content.onlyTensor else { return nil }
///         self.init(name: name, colours: colours)
///     }
/// }
/// ```
/// The type is made known with its pack: `NodePack(…, storable: StorableTypes(values: [Palette.self]))`. Results with a
/// value of any other type are not kept on disk. What is restored must equal what was stored bit for bit.
public protocol StorableValue: NodeValue {
    /// Names the form in which values are written: unique among all packs, and another one when the form changes.
    static var storedForm: String { get }
    /// The value written down; `nil` for a value that cannot be.
    func stored(_ types: StorableTypes) -> StoredContent?
    /// The value that ``stored(_:)`` wrote; `nil` when the content is something else.
    init?(stored content: StoredContent, _ types: StorableTypes)
}

/// The types that can be read back from the cache on disk.
public struct StorableTypes: Sendable {
    /// By ``StorableValue/storedForm``.
    public private(set) var values: [String: any StorableValue.Type] = [:]
    /// By name.
    public private(set) var conditioningKeys: [String: any ConditioningKey.Type] = [:]

    /// The types that every program has: literals, pictures, masks, latents, schedules, conditionings.
    public static let standard = StorableTypes(
        values: [
            Int.self, UInt64.self, Double.self, Bool.self, String.self, JSONNodeValue.self, Image.self, Mask.self,
            Latent.self, Sigmas.self, ConditioningValue.self,
        ],
        conditioningKeys: [
            PooledOutput.self, Guidance.self, TimestepRange.self, EntryStrength.self, ControlForNegative.self,
            ConcatLatent.self, ConcatMask.self,
        ])

    /// Types that a pack adds.
    public init(values: [any StorableValue.Type] = [], conditioningKeys: [any ConditioningKey.Type] = []) {
        for type in values { self.values[type.storedForm] = type }
        for key in conditioningKeys { self.conditioningKeys[key.name] = key }
    }

    /// Both together; of two types under one name the first stays.
    public func merging(_ other: StorableTypes) -> StorableTypes {
        var all = self
        all.values.merge(other.values) { first, _ in first }
        all.conditioningKeys.merge(other.conditioningKeys) { first, _ in first }
        return all
    }

    /// Whether exactly this type would be read back.
    func contains(_ key: any ConditioningKey.Type) -> Bool { conditioningKeys[key.name].map { $0 == key } ?? false }
}
