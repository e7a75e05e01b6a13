public import JSON
public import Tensors

/// A value written down, for the cache on disk: what is structure as JSON, what is bulk as tensors.
public struct StoredContent: Sendable {
    public var json: JSON
    /// In an order that the writer chooses. Host memory.
    public var tensors: [Tensor]

    public init(_ json: JSON, tensors: [Tensor] = []) {
        self.json = json
        self.tensors = tensors
    }

    /// A value that is one tensor.
    public init(_ tensor: Tensor) { self.init(.null, tensors: [tensor]) }

    /// The tensor of a value that is one; `nil` for any other content.
    public var onlyTensor: Tensor? { tensors.count == 1 ? tensors[0] : nil }
}

extension JSON {
    /// A number with all its bits, also the infinities and NaN, which JSON has no numbers for.
    public static func exactly(_ number: Double) -> JSON {
        number.isFinite ? .double(number) : .string(String(number.bitPattern, radix: 16))
    }

    /// What ``exactly(_:)`` wrote.
    public var exactNumber: Double? {
        if case .string(let text) = self { return UInt64(text, radix: 16).map { Double(bitPattern: $0) } }
        return doubleValue
    }
}
