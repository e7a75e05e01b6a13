public import JSON
internal import Tensors

/// A checkpoint described by a few lines of JSON: names, shapes, types, and a rule for each weight.
///
///     {"seed": 1, "dtype": "F16", "metadata": {"format": "pt"},
///      "tensors": {"a.weight": [[64, 32], 0.0, 0.1],           shape, centre, half width
///                  "a.bias":   [[64], 0.0, 0.1, "F32"],        another type
///                  "b.weight": [[64, 32], 0.0, 0.1, "F16", "a.weight"],   draws the numbers of a.weight
///                  "sigmas":   [[3], [1, 0.5, 0], 0],          these values
///                  "tokenizer": {"file": "tokenizer.model"}}}  the bytes of a file
///
/// A weight is centre + halfWidth · u with u uniform in [−1, 1): the i-th u of a tensor is 2 · (rawᵢ >> 40) / 2²⁴ − 1,
/// raw = Philox4x64-10 keyed by the first 16 bytes of SHA-256("seed:name"). The sum is taken in float64, rounded once to float32, then to the
/// stored type. So the bytes are a function of the manifest and the seed, on every machine.
public struct Manifest: Sendable {
    /// What a tensor holds.
    enum Contents: Sendable {
        case constant(Double)
        case list([Double])
        case uniform(centre: Double, halfWidth: Double, name: String)
        case file(String)
    }

    struct Entry: Sendable {
        var key: String
        var dtype: DType
        var shape: [Int]
        var contents: Contents
        /// Elements; the size of a file is only known when it is written.
        var count: Int
    }

    /// The seed as it is written: it is hashed as text.
    public let seed: String
    let metadata: [(key: String, value: String)]
    let entries: [Entry]

    private static let types: Set<DType> = [
        .float32, .float16, .bfloat16, .float8e4m3, .float8e5m2, .int64, .int32, .uint8,
    ]

    /// - Throws: ``ManifestError`` naming the member at fault.
    public init(parsing json: JSON) throws(ManifestError) {
        switch json["seed"] {
        case .int(let value)?: seed = String(value)
        case .uint(let value)?: seed = String(value)
        case let other: throw ManifestError(.malformed, "seed is \(other?.kind ?? "missing"), expected an integer")
        }
        let dtype = try Self.type(json["dtype"], "dtype")
        var metadata: [(key: String, value: String)] = []
        if let value = json["metadata"], !value.isNull {
            guard let members = value.objectValue else {
                throw ManifestError(.malformed, "metadata is \(value.kind), expected an object")
            }
            for (key, value) in members {
                guard let text = value.stringValue else {
                    throw ManifestError(.malformed, "metadata.\(key) is \(value.kind); safetensors stores strings only")
                }
                metadata.append((key, text))
            }
        }
        self.metadata = metadata
        guard let tensors = json["tensors"]?.objectValue else {
            throw ManifestError(.malformed, "tensors is \(json["tensors"]?.kind ?? "missing"), expected an object")
        }
        var entries: [Entry] = []
        for (key, value) in tensors {
            guard key != "__metadata__" else {
                throw ManifestError(.malformed, "a tensor cannot be called __metadata__")
            }
            entries.append(try Self.entry(key, value, dtype))
        }
        self.entries = entries
    }

    private static func type(_ value: JSON?, _ place: String) throws(ManifestError) -> DType {
        guard let dtype = value?.stringValue.flatMap(DType.init(rawValue:)), types.contains(dtype) else {
            throw ManifestError(
                .malformed,
                "\(place) is \(value?.text() ?? "missing"); expected one of \(types.map(\.rawValue).sorted().joined(separator: ", "))"
            )
        }
        return dtype
    }

    private static func entry(_ key: String, _ value: JSON, _ dtype: DType) throws(ManifestError) -> Entry {
        if let file = value["file"]?.stringValue {
            return Entry(key: key, dtype: .uint8, shape: [], contents: .file(file), count: 0)
        }
        guard let parts = value.arrayValue, (3...5).contains(parts.count), let shape = parts[0].arrayValue else {
            throw ManifestError(
                .malformed, "tensor \(key): expected [shape, centre, half width, type, draw key] or {\"file\": path}")
        }
        var dimensions: [Int] = []
        for size in shape {
            guard let size = size.intValue, size >= 0 else {
                throw ManifestError(.malformed, "tensor \(key): the shape has the size \(size.text())")
            }
            dimensions.append(size)
        }
        let type = parts.count > 3 ? try Self.type(parts[3], "tensor \(key): type") : dtype
        var count = 1
        for size in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            count = product
            if overflow || product > Int.max / 16 {
                throw ManifestError(.malformed, "tensor \(key): the shape \(dimensions) has too many elements")
            }
        }
        guard let halfWidth = parts[2].doubleValue, halfWidth.isFinite else {
            throw ManifestError(.malformed, "tensor \(key): the half width is \(parts[2].kind), expected a number")
        }
        let contents: Contents
        if let list = parts[1].arrayValue {
            let values = list.compactMap(\.doubleValue).filter(\.isFinite)
            guard values.count == list.count, values.count == count else {
                throw ManifestError(
                    .malformed, "tensor \(key): \(values.count) numbers are given, the shape \(dimensions) has \(count)"
                )
            }
            contents = .list(values)
        } else if let centre = parts[1].doubleValue, centre.isFinite {
            let name = parts.count > 4 ? parts[4].stringValue : key
            guard let name else { throw ManifestError(.malformed, "tensor \(key): the draw key is no string") }
            contents = halfWidth == 0 ? .constant(centre) : .uniform(centre: centre, halfWidth: halfWidth, name: name)
        } else {
            throw ManifestError(
                .malformed, "tensor \(key): the centre is \(parts[1].kind), expected a number or a list")
        }
        return Entry(key: key, dtype: type, shape: dimensions, contents: contents, count: count)
    }
}
