internal import Tensors

/// The neighbourhood over which a maximum or minimum is taken.
enum DilationElement {
    /// All pixels at most n columns and n rows away.
    case square
    /// All pixels whose distances in columns and rows add up to at most n.
    case diamond
}

/// The maximum over the element of radius `radius` around every pixel of `[batch, height, width]`; the outside of the
/// picture takes no part.
///
/// Works by doubling: the element of radius k + m is the union of elements of radius k, moved by m along the axes
/// (m ≤ k), so a radius n costs about log₂ n passes. A neighbour moved out of the picture is replaced by the nearest
/// one inside, whose element covers all that is wanted and nothing that is not.
func dilated(_ mask: Tensor, radius: Int, _ element: DilationElement) throws -> Tensor {
    let planes = try maskPlanes(mask)
    let (height, width) = (planes.shape[1], planes.shape[2])
    switch element {
    case .square:
        let wide = try dilatedRows(planes, radius: min(radius, width))
        return try steps(to: min(radius, height)).reduce(wide) {
            try maximumOfRows($0, distance: $1.distance, $1.isFirst)
        }
    case .diamond:
        return try steps(to: min(radius, width + height)).reduce(planes) {
            try maximumOfCross($0, distance: $1.distance, $1.isFirst)
        }
    }
}

/// The minimum over the element; see ``dilated(_:radius:_:)``.
func eroded(_ mask: Tensor, radius: Int, _ element: DilationElement) throws -> Tensor {
    let negative = try HostMath.map(mask) { -$0 }
    return try HostMath.map(dilated(negative, radius: radius, element)) { -$0 }
}

/// The distances by which copies are moved to reach a radius: 1, 1, 2, 4, … and the rest.
private func steps(to radius: Int) -> [(distance: Int, isFirst: Bool)] {
    var steps: [(Int, Bool)] = []
    var reached = 0
    while reached < radius {
        let distance = min(max(reached, 1), radius - reached)
        steps.append((distance, reached == 0))
        reached += distance
    }
    return steps
}

/// All steps along the rows at once, while a row is in the cache.
private func dilatedRows(_ planes: Tensor, radius: Int) throws -> Tensor {
    let width = planes.shape[2]
    let steps = steps(to: radius)
    if steps.isEmpty { return planes }
    return try planes.withElements(of: Float.self) { source in
        let rows = planes.shape[0] * planes.shape[1]
        return try Tensor.buildRows(planes.shape, of: Float.self, rows: rows, work: planes.count * steps.count) {
            rows, out in
            var line = [Float](repeating: 0, count: width)
            var next = line
            for row in rows {
                for x in 0..<width { line[x] = source[row * width + x] }
                for (distance, isFirst) in steps {
                    spread(line, distance, withCenter: isFirst, into: &next)
                    swap(&line, &next)
                }
                let start = (row - rows.lowerBound) * width
                for x in 0..<width { out[start + x] = line[x] }
            }
        }
    }
}

private func spread(_ line: [Float], _ distance: Int, withCenter: Bool, into result: inout [Float]) {
    let from = line.span
    var to = result.mutableSpan
    for x in from.indices { to[x] = withCenter ? from[x] : -.infinity }
    takeShifted(from, distance, &to, 0)
}

/// The maximum of the rows `distance` above and below, and of the row itself if `withCenter`.
private func maximumOfRows(_ planes: Tensor, distance: Int, _ withCenter: Bool) throws -> Tensor {
    try combineRows(planes, distance: distance, withCenter, alongRows: false)
}

/// The maximum of the four pixels `distance` away along the axes, and of the pixel itself if `withCenter`.
private func maximumOfCross(_ planes: Tensor, distance: Int, _ withCenter: Bool) throws -> Tensor {
    try combineRows(planes, distance: distance, withCenter, alongRows: true)
}

private func combineRows(_ planes: Tensor, distance: Int, _ withCenter: Bool, alongRows: Bool) throws -> Tensor {
    let (height, width) = (planes.shape[1], planes.shape[2])
    return try planes.withElements(of: Float.self) { source in
        let rows = planes.shape[0] * height
        return try Tensor.buildRows(planes.shape, of: Float.self, rows: rows, work: planes.count * 4) { rows, out in
            for row in rows {
                let (plane, y) = row.quotientAndRemainder(dividingBy: height)
                func line(_ y: Int) -> Range<Int> {
                    let start = (plane * height + min(max(y, 0), height - 1)) * width
                    return start..<start + width
                }
                let above = source.extracting(line(y - distance))
                let below = source.extracting(line(y + distance))
                let here = source.extracting(line(y))
                let to = (row - rows.lowerBound) * width
                for x in 0..<width { out[to + x] = larger(above[x], below[x]) }
                if withCenter {
                    for x in 0..<width { out[to + x] = larger(out[to + x], here[x]) }
                }
                if alongRows { takeShifted(here, distance, &out, to) }
            }
        }
    }
}

/// out[x] ← max(out[x], line[x − distance], line[x + distance]), positions kept inside the line.
@inline(__always)
private func takeShifted(_ line: Span<Float>, _ distance: Int, _ out: inout MutableSpan<Float>, _ to: Int) {
    let width = line.count
    let edge = min(distance, width)
    let (first, last) = (line[0], line[width - 1])
    for x in 0..<edge { out[to + x] = larger(out[to + x], first) }
    for x in 0..<width - edge { out[to + edge + x] = larger(out[to + edge + x], line[x]) }
    for x in 0..<width - edge { out[to + x] = larger(out[to + x], line[edge + x]) }
    for x in width - edge..<width { out[to + x] = larger(out[to + x], last) }
}

@inline(__always)
private func larger(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
