import Glibc
import Synchronization
import Tensors

/// Records how much attention every place of a picture receives in one attention layer.
public final class UNetAttentionProbe: Sendable {
    private struct State {
        /// `[item][token]`: the sum over all queries of the attention probability, averaged over the heads.
        var received: [[Float]] = []
        var size: (rows: Int, columns: Int) = (0, 0)
    }
    private let state = Mutex(State())

    public init() {}

    /// The last recording as `[batch, 1, rows, columns]`; `nil` before there is one.
    func map() throws -> Tensor? {
        let (received, size) = state.withLock { ($0.received, $0.size) }
        guard let first = received.first, first.count == size.rows * size.columns else { return nil }
        return try Tensor(received.flatMap(\.self), shape: [received.count, 1, size.rows, size.columns])
    }

    /// The form of the picture whose tokens were recorded.
    func note(rows: Int, columns: Int) { state.withLock { $0.size = (rows, columns) } }

    /// - Parameters:
    ///   - queries: `[batch, tokens, width]` in host memory, likewise `keys`.
    func record(queries: Tensor, keys: Tensor, heads: Int) throws {
        let (batch, rows, width) = (queries.shape[0], queries.shape[1], queries.shape[2])
        let columns = keys.shape[1]
        let size = width / max(heads, 1)
        let scale = 1 / Float(size).squareRoot()
        let (q, k) = (try queries.floats(), try keys.floats())
        var received = [[Float]](repeating: [Float](repeating: 0, count: columns), count: batch)
        var row = [Float](repeating: 0, count: columns)
        for item in 0..<batch {
            for head in 0..<heads {
                for i in 0..<rows {
                    let from = (item * rows + i) * width + head * size
                    var highest = -Float.infinity
                    for j in 0..<columns {
                        let to = (item * columns + j) * width + head * size
                        var sum: Float = 0
                        for d in 0..<size { sum += q[from + d] * k[to + d] }
                        row[j] = sum * scale
                        highest = max(highest, row[j])
                    }
                    var total: Float = 0
                    for j in 0..<columns {
                        row[j] = exp(row[j] - highest)
                        total += row[j]
                    }
                    let share = 1 / (total * Float(heads))
                    for j in 0..<columns { received[item][j] += row[j] * share }
                }
            }
        }
        state.withLock { [received] in $0.received = received }
    }
}
