import NodeKit
import Tensors

/// Items of batches.
enum BatchRange {
    /// At most `length` items from `start` on, both moved inside.
    static func clamped(_ start: Int, _ length: Int, of count: Int) -> Range<Int> {
        let first = max(min(start, count - 1), 0)
        return first..<first + max(min(length, count - first), 0)
    }

    /// Number of items of a batch repeated `amount` times.
    ///
    /// - Throws: ``NodeError`` when it is not positive or too large.
    static func repeated(_ count: Int, _ amount: Int) throws -> Int {
        let (total, overflow) = count.multipliedReportingOverflow(by: amount)
        guard amount > 0, !overflow, total <= 1 << 20 else {
            throw NodeError("input \"amount\": a batch of \(count) cannot be repeated \(amount) times")
        }
        return total
    }

    /// All items, one batch after the other, in batches of `size`.
    ///
    /// - Throws: ``NodeError`` for a size below 1 and items of different shapes.
    static func rebatched(_ batches: [Tensor], size: Int) throws -> [Tensor] {
        try requireInRange(size, "batch_size", 1...1 << 20)
        guard let shape = batches.first?.shape, shape.rank > 0 else { return [] }
        guard let other = batches.first(where: { $0.shape.array.dropFirst() != shape.array.dropFirst() }) else {
            let all = try HostMath.concatenate(batches, axis: 0)
            return try stride(from: 0, to: all.shape[0], by: size).map { start in
                try all.slice(axis: 0, start..<min(start + size, all.shape[0])).asFloat32()
            }
        }
        throw NodeError(
            "items of different shapes cannot share a batch: \(shape) and \(other.shape); bring them to one size first")
    }
}
