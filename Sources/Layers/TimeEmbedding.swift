internal import Glibc
public import Tensors

/// Sinusoidal embeddings of a number: [cos(factor · t · fₖ), sin(factor · t · fₖ)], fₖ = exp(−ln 10000 · k / half).
///
/// - Parameters:
///   - times: one per batch item.
///   - width: even number of components.
/// - Returns: float32 `[times, width]`, cosines first.
public func timeEmbedding(_ times: [Float], width: Int, factor: Float = 1) throws -> Tensor {
    let half = width / 2
    let frequencies = (0..<half).map { k in exp(-log(Float(10000)) * Float(k) / Float(half)) }
    var values: [Float] = []
    values.reserveCapacity(times.count * width)
    for time in times {
        let angles = frequencies.map { factor * time * $0 }
        values += angles.map { cos($0) }
        values += angles.map { sin($0) }
    }
    return try Tensor(values, shape: [times.count, width])
}
