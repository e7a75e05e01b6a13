public import Checkpoints
public import Tensors

/// A square table of positions, one vector for each patch, of which a picture gets the middle part
/// (families-sd3-aura.md §2 and §3). The table stays in the file: only the part is converted.
public struct PositionGrid: Sendable {
    /// Rows and columns of the table.
    public let side: Int
    /// `[side, side, width]`, as stored.
    private let table: Tensor
    private let heldAs: DType?

    /// - Parameter name: of the table `[1, side², width]`.
    public init(_ w: Weights, _ name: String, width: Int) throws(CheckpointError) {
        let stored = try w.table(name, [1, -1, width])
        let count = stored.tensor.shape[1]
        let side = Int(Double(count).squareRoot().rounded())
        guard side > 0, side * side == count else {
            throw CheckpointError(
                .shapeMismatch,
                "\(w.source.name): \"\(name)\" has \(count) positions, which do not make a square grid")
        }
        do { table = try stored.tensor.reshaped([side, side, width]) } catch {
            throw CheckpointError(.malformed, "\(w.source.name): \"\(name)\": \(error.message)")
        }
        heldAs = stored.heldAs
        self.side = side
    }

    /// The middle of the table.
    ///
    /// - Returns: `[1, rows·columns, width]`, float32, host memory.
    /// - Throws: ``TensorError/Code/shapeMismatch`` when the picture is larger than the table.
    public func window(rows: Int, columns: Int) throws(TensorError) -> Tensor {
        guard rows <= side, columns <= side else {
            throw TensorError(
                .shapeMismatch,
                "the picture has \(columns) × \(rows) patches, this model has positions for \(side) × \(side): make it at "
                    + "most \(side * 16) pixels on a side")
        }
        let (top, left) = ((side - rows) / 2, (side - columns) / 2)
        return try table.slice(axis: 0, top..<top + rows).slice(axis: 1, left..<left + columns).held(as: heldAs)
            .reshaped([1, rows * columns, table.shape[2]])
    }

    /// The middle of the table, for a picture that exceeds it the middle of the table enlarged to a square whose side is
    /// the picture's longer one (bilinear, half-pixel centres, no antialiasing).
    ///
    /// - Returns: `[1, rows·columns, width]`, float32, host memory.
    public func enlargedWindow(rows: Int, columns: Int) throws -> Tensor {
        let target = max(rows, columns)
        if target <= side { return try window(rows: rows, columns: columns) }
        let vertical = Self.taps((target - rows) / 2..<(target - rows) / 2 + rows, from: side, to: target)
        let horizontal = Self.taps((target - columns) / 2..<(target - columns) / 2 + columns, from: side, to: target)
        let width = table.shape[2]
        let side = side
        return try table.held(as: heldAs).withElements(of: Float.self) { source in
            try Tensor.build([1, rows * columns, width], of: Float.self) { out in
                var at = 0
                for y in vertical {
                    for x in horizontal {
                        let (a, b) = ((y.low * side + x.low) * width, (y.low * side + x.high) * width)
                        let (c, d) = ((y.high * side + x.low) * width, (y.high * side + x.high) * width)
                        for i in 0..<width {
                            let upper = (1 - x.share) * source[a + i] + x.share * source[b + i]
                            let lower = (1 - x.share) * source[c + i] + x.share * source[d + i]
                            out[at] = (1 - y.share) * upper + y.share * lower
                            at += 1
                        }
                    }
                }
            }
        }
    }

    /// The two source indices of every target index and the share of the second.
    private static func taps(
        _ targets: Range<Int>, from source: Int, to target: Int
    ) -> [(low: Int, high: Int, share: Float)] {
        let scale = Float(source) / Float(target)
        return targets.map { index in
            let position = max(scale * (Float(index) + 0.5) - 0.5, 0)
            let low = min(Int(position), source - 1)
            return (low, min(low + 1, source - 1), position - Float(low))
        }
    }
}
