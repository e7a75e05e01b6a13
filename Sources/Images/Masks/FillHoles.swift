public import Tensors

/// 1 where the mask is above 0 and in the holes so enclosed, else 0: a hole is a background region, connected by edges,
/// that does not touch the border (`pack-nodes.md` §1).
///
/// - Parameter mask: `[batch, height, width]`, every item on its own.
/// - Throws: ``ImageError/Code/invalidArgument`` for another rank.
public func fillHoles(_ mask: Tensor) throws -> Tensor {
    let planes = try maskPlanes(mask)
    let (height, width) = (planes.shape[1], planes.shape[2])
    return try planes.withElements(of: Float.self) { source in
        try Tensor.buildRows(
            planes.shape, of: Float.self, rows: planes.shape[0], work: planes.count * 8
        ) { items, out in
            for item in items {
                let start = item * width * height
                let plane = source.extracting(start..<start + width * height)
                let outside = background(of: plane, width, height)
                let to = (item - items.lowerBound) * width * height
                for i in 0..<width * height { out[to + i] = outside[i] ? 0 : 1 }
            }
        }
    }
}

/// The background pixels that a path through background pixels joins to the border.
private func background(of plane: Span<Float>, _ width: Int, _ height: Int) -> [Bool] {
    var reached = [Bool](repeating: false, count: width * height)
    var open: [Int] = []
    func visit(_ i: Int) {
        // Written so that NaN counts as background.
        if !reached[i] && !(plane[i] > 0) {
            reached[i] = true
            open.append(i)
        }
    }
    for x in 0..<width {
        visit(x)
        visit((height - 1) * width + x)
    }
    for y in 0..<height {
        visit(y * width)
        visit(y * width + width - 1)
    }
    while let i = open.popLast() {
        let x = i % width
        if x > 0 { visit(i - 1) }
        if x < width - 1 { visit(i + 1) }
        if i >= width { visit(i - width) }
        if i < (height - 1) * width { visit(i + width) }
    }
    return reached
}
