internal import Tensors

/// Resamples one axis of a tensor seen as `[outer, length, inner]`; the result is `[outer, taps.count, inner]`.
func resample(_ x: Tensor, outer: Int, length: Int, inner: Int, taps: AxisTaps) throws -> Tensor {
    let shape: Shape = [outer, taps.count, inner]
    if taps.isIdentity { return try x.reshaped(shape) }
    let work = outer * taps.indices.count * inner
    return try x.withElements(of: Float.self) { source in
        if inner >= 16 {
            return try Tensor.buildRows(shape, of: Float.self, rows: outer * taps.count, work: work) { rows, out in
                for row in rows {
                    let (o, i) = row.quotientAndRemainder(dividingBy: taps.count)
                    sumRows(source, taps, i, o * length, inner, &out, (row - rows.lowerBound) * inner)
                }
            }
        }
        return try Tensor.buildRows(shape, of: Float.self, rows: outer, work: work) { rows, out in
            for o in rows {
                let to = (o - rows.lowerBound) * taps.count * inner
                sumColumns(source.extracting(o * length * inner..<(o + 1) * length * inner), taps, inner, &out, to)
            }
        }
    }
}

/// One output row as the weighted sum of whole input rows of `inner` elements.
private func sumRows(
    _ source: Span<Float>, _ taps: AxisTaps, _ i: Int, _ firstRow: Int, _ inner: Int, _ out: inout MutableSpan<Float>,
    _ to: Int
) {
    let range = taps.starts[i]..<taps.starts[i + 1]
    for tap in range {
        let start = (firstRow + taps.indices[tap]) * inner
        let row = source.extracting(start..<start + inner)
        let weight = taps.weights[tap]
        if tap == range.lowerBound {
            for k in 0..<inner { out[to + k] = weight * row[k] }
        } else {
            for k in 0..<inner { out[to + k] += weight * row[k] }
        }
    }
}

/// All outputs of one run whose neighbours are `inner` elements apart.
private func sumColumns(
    _ source: Span<Float>, _ taps: AxisTaps, _ inner: Int, _ out: inout MutableSpan<Float>, _ to: Int
) {
    let starts = taps.starts.span
    let indices = taps.indices.span
    let weights = taps.weights.span
    for i in 0..<taps.count {
        for k in 0..<inner {
            var sum: Float = 0
            for tap in starts[i]..<starts[i + 1] { sum += weights[tap] * source[indices[tap] * inner + k] }
            out[to + i * inner + k] = sum
        }
    }
}
