public import NodeKit
import Tensors

/// Width and height in pixels.
public struct PictureSize: Sendable, Hashable {
    public var width: Int
    public var height: Int
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

extension Double {
    /// The nearest whole number, halves to even, as Python's `round`; for any number safe: NaN becomes 0, and what is
    /// too large about 10¹⁵.
    public var roundedInt: Int { safeInt(rounded(.toNearestOrEven)) }
    /// Python's `int`: without the fraction; safe for any number.
    public var truncatedInt: Int { safeInt(rounded(.towardZero)) }

    private func safeInt(_ value: Double) -> Int { value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e15), 1e15)) }
}

extension Image {
    /// Width and height of the pictures.
    ///
    /// - Throws: `NodeError` for a tensor that is no picture.
    public func size() throws -> PictureSize {
        guard tensor.shape.rank == 4, tensor.count > 0 else {
            throw NodeError("pictures have the shape [batch, height, width, channels], found \(tensor.shape)")
        }
        return PictureSize(width: width, height: height)
    }
}

extension Mask {
    /// Width and height of the mask.
    ///
    /// - Throws: `NodeError` for a tensor that is no mask.
    public func size() throws -> PictureSize {
        guard tensor.shape.rank >= 2, tensor.count > 0 else {
            throw NodeError("masks have the shape [batch, height, width], found \(tensor.shape)")
        }
        return PictureSize(width: tensor.shape[tensor.shape.rank - 1], height: tensor.shape[tensor.shape.rank - 2])
    }
}
