/// Small dense linear systems.
enum LinearSystem {
    /// The solution of A·x = b by Gaussian elimination with row exchange; not finite if A is singular.
    static func solve(_ a: [[Double]], _ b: [Double]) -> [Double] {
        var rows = zip(a, b).map { $0 + [$1] }
        let n = b.count
        for column in 0..<n {
            let pivot = (column..<n).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
            rows.swapAt(column, pivot)
            for row in column + 1..<max(n, column + 1) {
                let factor = rows[row][column] / rows[column][column]
                for k in column...n { rows[row][k] -= factor * rows[column][k] }
            }
        }
        var x = [Double](repeating: 0, count: n)
        for row in (0..<n).reversed() {
            var value = rows[row][n]
            for k in row + 1..<max(n, row + 1) { value -= rows[row][k] * x[k] }
            x[row] = value / rows[row][row]
        }
        return x
    }
}
