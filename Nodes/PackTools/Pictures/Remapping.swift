public import Tensors

/// Pictures made of the rows and columns of another, in any order: cuts, borders, mirror images, copies side by side.
public enum Remapping {
    /// The picture whose pixel (y, x) is the source's pixel (`rows[y]`, `columns[x]`), or `fill` where one of them is
    /// `nil`.
    ///
    /// - Parameters:
    ///   - image: `[batch, height, width, channels]`.
    ///   - fill: a value per channel, used cyclically; zeros if empty.
    /// - Throws: ``TensorError/Code/shapeMismatch`` for another rank or an index outside the picture.
    public static func apply(
        _ image: Tensor, rows: [Int?], columns: [Int?], fill: [Float] = []
    ) throws -> Tensor {
        guard image.shape.rank == 4,
            rows.allSatisfy({ $0.map { (0..<image.shape[1]).contains($0) } ?? true }),
            columns.allSatisfy({ $0.map { (0..<image.shape[2]).contains($0) } ?? true }),
            Shape.checkedCount([image.shape[0], rows.count, columns.count, image.shape[3], 4]) != nil
        else {
            throw TensorError(.shapeMismatch, "rows and columns outside a picture of the shape \(image.shape)")
        }
        let (batch, height, width, channels) = (image.shape[0], image.shape[1], image.shape[2], image.shape[3])
        let fill = (0..<channels).map { fill.isEmpty ? 0 : fill[$0 % fill.count] }
        return try image.asFloat32().withElements(of: Float.self) { source in
            try Tensor.build([batch, rows.count, columns.count, channels], of: Float.self) { out in
                var to = 0
                for item in 0..<batch {
                    for row in rows {
                        for column in columns {
                            if let row, let column {
                                let from = ((item * height + row) * width + column) * channels
                                for channel in 0..<channels { out[to + channel] = source[from + channel] }
                            } else {
                                for channel in 0..<channels { out[to + channel] = fill[channel] }
                            }
                            to += channels
                        }
                    }
                }
            }
        }
    }

    /// Positions of a line with a border on both sides: outside, `nil`, or the nearest one inside if `repeatsEdge`. A
    /// negative border cuts off.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` when nothing would be left, or more than 2²⁰ positions.
    public static func padded(
        _ length: Int, before: Int, after: Int, repeatsEdge: Bool = false
    ) throws -> [Int?] {
        let limit = 1 << 20
        guard length > 0, abs(before.clamped(to: -limit...limit)) < limit,
            abs(after.clamped(to: -limit...limit)) < limit,
            before + length + after > 0, before + length + after <= limit
        else {
            throw TensorError(
                .shapeMismatch, "a side of \(length) pixels cannot get \(before) before and \(after) behind it")
        }
        return (-before..<length + after).map { position in
            if (0..<length).contains(position) { return position }
            return repeatsEdge ? min(max(position, 0), length - 1) : nil
        }
    }
}

extension Int {
    /// The nearest number within a range.
    public func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

extension Tensor {
    /// A mask `[…, height, width]` as pictures of one channel `[n, height, width, 1]`.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` for a tensor without height and width.
    public func asSingleChannelPictures() throws -> Tensor {
        guard shape.rank >= 2, count > 0 else {
            throw TensorError(.shapeMismatch, "a mask has the shape [batch, height, width], found \(shape)")
        }
        let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
        return try asFloat32().reshaped([count / (height * width), height, width, 1])
    }

    /// Pictures of one channel as a mask `[n, height, width]`.
    public func asMask() throws -> Tensor { try asFloat32().reshaped([shape[0], shape[1], shape[2]]) }
}
