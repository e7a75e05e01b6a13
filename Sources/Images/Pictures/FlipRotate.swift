public import Tensors

/// The order of positions along one axis turned round.
///
/// - Parameter axis: of a tensor of any rank; the result is float32 and contiguous.
/// - Throws: ``ImageError/Code/invalidArgument`` when there is no such axis.
public func flipAxis(_ x: Tensor, _ axis: Int) throws -> Tensor {
    guard x.shape.array.indices.contains(axis) else {
        throw ImageError(.invalidArgument, "axis \(axis) cannot be flipped in the shape \(x.shape)")
    }
    let dense = try x.asFloat32()
    let length = dense.shape[axis]
    let inner = Shape(dense.shape.array[(axis + 1)...]).count
    if dense.count == 0 { return dense }
    return try dense.withElements(of: Float.self) { source in
        let rows = dense.count / inner
        return try Tensor.buildRows(dense.shape, of: Float.self, rows: rows, work: dense.count) { rows, out in
            for row in rows {
                let (block, position) = row.quotientAndRemainder(dividingBy: length)
                let from = (block * length + length - 1 - position) * inner
                let to = (row - rows.lowerBound) * inner
                for k in 0..<inner { out[to + k] = source[from + k] }
            }
        }
    }
}

/// Quarter turns clockwise in the plane of two neighbouring axes, the first of which counts rows.
///
/// - Throws: ``ImageError/Code/invalidArgument`` when there are no such axes.
public func rotateClockwise(_ x: Tensor, quarterTurns: Int, rowAxis: Int) throws -> Tensor {
    guard rowAxis >= 0, rowAxis + 1 < x.shape.rank else {
        throw ImageError(.invalidArgument, "axis \(rowAxis) counts no rows in the shape \(x.shape)")
    }
    var order = Array(0..<x.shape.rank)
    order.swapAt(rowAxis, rowAxis + 1)
    switch ((quarterTurns % 4) + 4) % 4 {
    case 1: return try flipAxis(x, rowAxis).permuted(order).asFloat32()
    case 2: return try flipAxis(flipAxis(x, rowAxis), rowAxis + 1)
    case 3: return try flipAxis(x.permuted(order), rowAxis)
    default: return try x.asFloat32()
    }
}
