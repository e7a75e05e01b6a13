public import Diffusion
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
}

/// A mask that weighs a conditioning entry.
public enum EntryMask: ConditioningKey {
    public static let name = "mask"

    public struct Value: Sendable {
        /// `[batch or 1, H, W]`, any size.
        public var mask: Tensor
        public var strength: Float
        /// Whether the entry's area becomes the mask's bounding box ("mask bounds").
        public var setsArea: Bool

        public init(mask: Tensor, strength: Float, setsArea: Bool) {
            self.mask = mask
            self.strength = strength
            self.setsArea = setsArea
        }
    }

    public static func exported(_ value: Value) -> [(name: String, tensor: Tensor)] { [("", value.mask)] }
}

/// A rectangle of a latent, in latent elements.
struct LatentArea: Sendable, Hashable, CustomStringConvertible {
    var height: Int
    var width: Int
    var y: Int
    var x: Int

    var description: String { "\(width)×\(height) at (\(x), \(y))" }

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
