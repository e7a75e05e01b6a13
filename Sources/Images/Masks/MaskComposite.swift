public import Tensors

/// How two masks are combined; the raw values are the names in workflows.
public enum MaskOperation: String, Sendable, Hashable, CaseIterable {
    case multiply, add, subtract
    /// Of the values rounded to whole numbers, half to even.
    case and, or, xor

    func combine(_ a: Float, _ b: Float) -> Float {
        func isSet(_ value: Float) -> Bool { value.rounded(.toNearestOrEven) != 0 }
        return switch self {
        case .multiply: a * b
        case .add: a + b
        case .subtract: a - b
        case .and: isSet(a) && isSet(b) ? 1 : 0
        case .or: isSet(a) || isSet(b) ? 1 : 0
        case .xor: isSet(a) != isSet(b) ? 1 : 0
        }
    }
}

/// Combines `source`, placed at (`x`, `y`), with the part of `destination` it covers; everything is clamped to 0…1.
///
/// - Parameters: masks `[batch, height, width]`; a single source serves all destinations.
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank or batches that do not fit.
public func compositeMasks(
    _ destination: Tensor, _ source: Tensor, x: Int, y: Int, _ operation: MaskOperation
) throws -> Tensor {
    let (below, above) = (try maskPlanes(destination), try maskPlanes(source))
    let (batch, height, width) = (below.shape[0], below.shape[1], below.shape[2])
    guard above.shape[0] == 1 || above.shape[0] == batch else {
        throw ImageError(
            .invalidArgument, "\(above.shape[0]) masks cannot be combined with \(batch); expected one, or as many")
    }
    let area = Overlap(x, y, above.shape[2], above.shape[1], on: width, height)
    return try below.withElements(of: Float.self) { old in
        try above.withElements(of: Float.self) { new in
            try Tensor.build(below.shape, of: Float.self) { out in
                for i in out.indices { out[i] = min(max(old[i], 0), 1) }
                for item in 0..<batch {
                    let plane = (item % above.shape[0]) * above.shape[1]
                    for row in area.rows {
                        for column in area.columns {
                            let to = (item * height + row) * width + column
                            let from = (plane + row - area.top) * above.shape[2] + column - area.left
                            out[to] = min(max(operation.combine(old[to], new[from]), 0), 1)
                        }
                    }
                }
            }
        }
    }
}

/// Where a picture placed on another covers it.
struct Overlap {
    /// The picture's place, which may lie outside.
    let left: Int
    let top: Int
    /// In coordinates of the picture below; empty when they do not touch.
    let rows: Range<Int>
    let columns: Range<Int>

    init(_ x: Int, _ y: Int, _ width: Int, _ height: Int, on fullWidth: Int, _ fullHeight: Int) {
        // Clamped so that sums cannot overflow; beyond these places nothing is covered anyway.
        left = min(max(x, -width), fullWidth)
        top = min(max(y, -height), fullHeight)
        rows = max(top, 0)..<max(max(top, 0), min(top + height, fullHeight))
        columns = max(left, 0)..<max(max(left, 0), min(left + width, fullWidth))
    }
}
