public import Diffusion
internal import JSON
public import Tensors

/// Where a conditioning entry holds: a rectangle of the latent.
public enum EntryArea: ConditioningKey {
    public static let name = "area"

    public enum Value: Sendable, Hashable {
        /// In latent elements (pixels div 8).
        case elements(height: Int, width: Int, y: Int, x: Int)
        /// In fractions of the latent's sides.
        case fractions(height: Double, width: Double, y: Double, x: Double)
    }

    /// Four numbers; fractions are numbered from 1, since the reference has a word before them.
    public static func exported(_ value: Value) -> [(name: String, tensor: Tensor)] {
        let (first, numbers): (Int, [Float]) =
            switch value {
            case .elements(let height, let width, let y, let x): (0, [height, width, y, x].map(Float.init))
            case .fractions(let height, let width, let y, let x): (1, [height, width, y, x].map(Float.init))
            }
        return numbers.enumerated().compactMap { index, number in
            (try? Tensor([number], shape: [])).map { (String(first + index), $0) }
        }
    }

    public static func stored(_ value: Value) -> StoredContent? {
        switch value {
        case .elements(let height, let width, let y, let x):
            StoredContent(.object(["elements": .array([height, width, y, x].map { .int(Int64($0)) })]))
        case .fractions(let height, let width, let y, let x):
            StoredContent(.object(["fractions": .array([height, width, y, x].map { .exactly($0) })]))
        }
    }

    public static func restored(_ content: StoredContent) -> Value? {
        let elements = (content.json["elements"]?.arrayValue ?? []).compactMap(\.intValue)
        if elements.count == 4 {
            return .elements(height: elements[0], width: elements[1], y: elements[2], x: elements[3])
        }
        let fractions = (content.json["fractions"]?.arrayValue ?? []).compactMap(\.exactNumber)
        guard fractions.count == 4 else { return nil }
        return .fractions(height: fractions[0], width: fractions[1], y: fractions[2], x: fractions[3])
    }
}

/// A mask `[batch or 1, H, W]` of any size that weighs a conditioning entry.
public enum EntryMask: ConditioningKey {
    public static let name = "mask"
    public static func exported(_ value: Tensor) -> [(name: String, tensor: Tensor)] { [("", value)] }
    public static func stored(_ value: Tensor) -> StoredContent? { StoredContent(value) }
    public static func restored(_ content: StoredContent) -> Tensor? { content.onlyTensor }
}

/// Factor on the entry's mask (1 if absent).
public enum EntryMaskStrength: ConditioningKey {
    public static let name = "mask_strength"
    public static func exported(_ value: Float) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([value], shape: []) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Float) -> StoredContent? { StoredContent(.exactly(Double(value))) }
    public static func restored(_ content: StoredContent) -> Float? { content.json.exactNumber.map { Float($0) } }
}

/// Whether the entry's area is the bounding box of its mask ("mask bounds").
public enum EntryAreaFromMask: ConditioningKey {
    public static let name = "set_area_to_bounds"
    public static func exported(_ value: Bool) -> [(name: String, tensor: Tensor)] {
        guard let tensor = try? Tensor([value ? 1 : 0], shape: []).converted(to: .bool) else { return [] }
        return [("", tensor)]
    }
    public static func stored(_ value: Bool) -> StoredContent? { StoredContent(.bool(value)) }
    public static func restored(_ content: StoredContent) -> Bool? { content.json.boolValue }
}

extension LatentArea {
    func contains(_ other: LatentArea) -> Bool {
        y <= other.y && x <= other.x && y + height >= other.y + other.height && x + width >= other.x + other.width
    }

    /// The rectangle of a latent `[batch, channels, h, w]`, contiguous.
    func crop(_ latent: Tensor) throws -> Tensor {
        try latent.slice(axis: 2, y..<y + height).slice(axis: 3, x..<x + width).asFloat32()
    }

    /// The weights `[height · width]` of an area inside a latent of rows × columns: up to 8 lines fade in at each side
    /// that does not touch the border.
    func feathering(rows: Int, columns: Int) -> [Float]? {
        let (vertical, horizontal) = (min(8, height / 4), min(8, width / 4))
        var weights = [Float](repeating: 1, count: height * width)
        func scale(row: Int, _ factor: Float) {
            for column in 0..<width { weights[row * width + column] *= factor }
        }
        func scale(column: Int, _ factor: Float) {
            for row in 0..<height { weights[row * width + column] *= factor }
        }
        for line in 0..<vertical {
            let factor = Float(line + 1) / Float(vertical)
            if y != 0 { scale(row: line, factor) }
            if y + height < rows { scale(row: height - 1 - line, factor) }
        }
        for line in 0..<horizontal {
            let factor = Float(line + 1) / Float(horizontal)
            if x != 0 { scale(column: line, factor) }
            if x + width < columns { scale(column: width - 1 - line, factor) }
        }
        return weights
    }
}
