import Glibc
import Synchronization
import Tensors

/// Rotary position tables over the three axes (index, row, column) (families-flux.md §3.1–3.2).
enum FluxPositions {
    /// A grid of image tokens.
    struct Grid: Hashable, Sendable {
        var index = 0
        var rows: Int
        var columns: Int
        var rowOffset = 0
        var columnOffset = 0
    }

    /// The table for `text` tokens at position zero followed by the grids. Angles in float64, rounded to float32.
    static func table(text: Int, grids: [Grid]) throws -> RotaryTable {
        let half = FluxConfiguration.axes.reduce(0, +) / 2
        let total = text + grids.reduce(0) { $0 + $1.rows * $1.columns }
        var cosines = [Float](repeating: 1, count: text * half)
        var sines = [Float](repeating: 0, count: text * half)
        cosines.reserveCapacity(total * half)
        sines.reserveCapacity(total * half)
        // One row of values per position and axis: positions repeat along the grid.
        var known: [Int: (cosine: [Float], sine: [Float])] = [:]
        func values(_ axis: Int, _ position: Int) -> (cosine: [Float], sine: [Float]) {
            let slot = position * 4 + axis
            if let found = known[slot] { return found }
            let width = FluxConfiguration.axes[axis]
            let angles = (0..<width / 2).map { j in
                Double(position) * pow(10000, -2 * Double(j) / Double(width))
            }
            let made = (angles.map { Float(cos($0)) }, angles.map { Float(sin($0)) })
            known[slot] = made
            return made
        }
        for grid in grids {
            let index = values(0, grid.index)
            for row in 0..<grid.rows {
                let vertical = values(1, row + grid.rowOffset)
                for column in 0..<grid.columns {
                    let horizontal = values(2, column + grid.columnOffset)
                    cosines += index.cosine
                    cosines += vertical.cosine
                    cosines += horizontal.cosine
                    sines += index.sine
                    sines += vertical.sine
                    sines += horizontal.sine
                }
            }
        }
        return RotaryTable(
            cosine: try Tensor(cosines, shape: [total, half]), sine: try Tensor(sines, shape: [total, half]))
    }

    /// Keeps the tables of the last few geometries: they are the same in every step.
    final class Cache: Sendable {
        private struct Key: Hashable {
            var text: Int
            var grids: [Grid]
        }
        private let tables = Mutex([(key: Key, table: RotaryTable)]())

        func table(text: Int, grids: [Grid]) throws -> RotaryTable {
            let key = Key(text: text, grids: grids)
            if let found = tables.withLock({ $0.first { $0.key == key }?.table }) { return found }
            let made = try FluxPositions.table(text: text, grids: grids)
            tables.withLock {
                $0.append((key, made))
                if $0.count > 4 { $0.removeFirst() }
            }
            return made
        }
    }
}
