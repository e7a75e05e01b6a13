public import Diffusion
internal import JSON
internal import Tensors

extension Int: StorableValue {
    public static var storedForm: String { "int" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(.int(Int64(self))) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard case .int(let value) = content.json else { return nil }
        self.init(value)
    }
}

extension UInt64: StorableValue {
    public static var storedForm: String { "uint64" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(literal) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        switch content.json {
        case .int(let value) where value >= 0: self.init(value)
        case .uint(let value): self = value
        default: return nil
        }
    }
}

extension Double: StorableValue {
    public static var storedForm: String { "double" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(.exactly(self)) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let value = content.json.exactNumber else { return nil }
        self = value
    }
}

extension Bool: StorableValue {
    public static var storedForm: String { "bool" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(.bool(self)) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let value = content.json.boolValue else { return nil }
        self = value
    }
}

extension String: StorableValue {
    public static var storedForm: String { "string" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(.string(self)) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let value = content.json.stringValue else { return nil }
        self = value
    }
}

extension JSONNodeValue: StorableValue {
    public static var storedForm: String { "json" }
    public func stored(_ types: StorableTypes) -> StoredContent? {
        // Text inside the text: however deep it is, the entry's own structure is not.
        Self.isExact(json) ? StoredContent(.string(json.text())) : nil
    }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let text = content.json.stringValue, let json = try? JSON(parsing: text) else { return nil }
        self.init(json)
    }
    /// Whether JSON text can hold it: it has no infinities.
    private static func isExact(_ json: JSON) -> Bool {
        switch json {
        case .double(let value): value.isFinite
        case .array(let items): items.allSatisfy { isExact($0) }
        case .object(let members): members.allSatisfy { isExact($0.value) }
        case .null, .bool, .int, .uint, .string: true
        }
    }
}

extension Image: StorableValue {
    public static var storedForm: String { "image" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(tensor) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let tensor = content.onlyTensor else { return nil }
        self.init(tensor)
    }
}

extension Mask: StorableValue {
    public static var storedForm: String { "mask" }
    public func stored(_ types: StorableTypes) -> StoredContent? { StoredContent(tensor) }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let tensor = content.onlyTensor else { return nil }
        self.init(tensor)
    }
}

extension Sigmas: StorableValue {
    public static var storedForm: String { "sigmas" }
    public func stored(_ types: StorableTypes) -> StoredContent? { (try? Tensor(values)).map { StoredContent($0) } }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let values = try? content.onlyTensor?.floats() else { return nil }
        self.init(values)
    }
}

extension Latent: StorableValue {
    public static var storedForm: String { "latent" }
    public func stored(_ types: StorableTypes) -> StoredContent? {
        let indices = batchIndices.map { JSON.array($0.map { .int(Int64($0)) }) } ?? .null
        return StoredContent(.object(["batch_index": indices]), tensors: [samples] + (noiseMask.map { [$0] } ?? []))
    }
    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard (1...2).contains(content.tensors.count), let stored = content.json["batch_index"] else { return nil }
        self.init(samples: content.tensors[0], noiseMask: content.tensors.count == 2 ? content.tensors[1] : nil)
        if stored.isNull { return }
        guard let items = stored.arrayValue else { return nil }
        let indices = items.compactMap(\.intValue)
        guard indices.count == items.count else { return nil }
        batchIndices = indices
    }
}

extension ConditioningValue: StorableValue {
    public static var storedForm: String { "conditioning" }

    /// `nil` when an entry has a property that cannot be written down, such as a ControlNet.
    public func stored(_ types: StorableTypes) -> StoredContent? {
        var content = StoredContent(.null)
        var list: [JSON] = []
        for entry in entries {
            content.tensors.append(entry.context)
            var properties = JSONObject()
            for (key, stored) in entry.storedProperties {
                guard let stored, types.contains(key), properties[key.name] == nil else { return nil }
                properties[key.name] = .array([stored.json, .int(Int64(stored.tensors.count))])
                content.tensors += stored.tensors
            }
            list.append(.object(properties))
        }
        content.json = .array(list)
        return content
    }

    public init?(stored content: StoredContent, _ types: StorableTypes) {
        guard let list = content.json.arrayValue else { return nil }
        var tensors = content.tensors[...]
        var entries: [ConditioningEntry] = []
        for properties in list {
            guard let context = tensors.popFirst(), let properties = properties.objectValue else { return nil }
            var entry = ConditioningEntry(context: context)
            for (name, stored) in properties {
                guard let key = types.conditioningKeys[name], let json = stored[0], let count = stored[1]?.intValue,
                    count >= 0, count <= tensors.count
                else { return nil }
                let part = StoredContent(json, tensors: Array(tensors.prefix(count)))
                tensors = tensors.dropFirst(count)
                guard entry.restore(key, part) else { return nil }
            }
            entries.append(entry)
        }
        guard tensors.isEmpty else { return nil }
        self.init(entries)
    }
}
