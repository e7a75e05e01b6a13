/// A 3 × 3 matrix, row by row; made for symmetric ones.
struct SymmetricMatrix {
    private var values = [Double](repeating: 0, count: 9)

    subscript(row: Int, column: Int) -> Double {
        get { values[3 * row + column] }
        set { values[3 * row + column] = newValue }
    }

    static func * (a: SymmetricMatrix, b: SymmetricMatrix) -> SymmetricMatrix {
        var product = SymmetricMatrix()
        for row in 0..<3 {
            for column in 0..<3 { product[row, column] = (0..<3).reduce(0) { $0 + a[row, $1] * b[$1, column] } }
        }
        return product
    }

    /// A function of the matrix: the same eigenvectors, `body` of the eigenvalues.
    private func applying(_ body: (Double) -> Double) -> SymmetricMatrix {
        let (eigenvalues, vectors) = eigen()
        var result = SymmetricMatrix()
        for k in 0..<3 {
            let value = body(eigenvalues[k])
            for row in 0..<3 {
                for column in 0..<3 { result[row, column] += vectors[row, k] * value * vectors[column, k] }
            }
        }
        return result
    }

    /// The symmetric map T with T·self·T = other: self^(−½) (self^½ other self^½)^½ self^(−½).
    func transport(to other: SymmetricMatrix) -> SymmetricMatrix {
        let root = applying { max($0, 0).squareRoot() }
        // A direction without any variation is left alone instead of being blown up.
        let inverse = applying { $0 > 1e-15 ? 1 / $0.squareRoot() : 0 }
        return inverse * (root * other * root).applying { max($0, 0).squareRoot() } * inverse
    }

    /// Eigenvalues, and eigenvectors as columns, by Jacobi's rotations.
    private func eigen() -> (values: [Double], vectors: SymmetricMatrix) {
        var matrix = self
        var vectors = SymmetricMatrix()
        for i in 0..<3 { vectors[i, i] = 1 }
        for _ in 0..<30 {
            for (p, q) in [(0, 1), (0, 2), (1, 2)] where abs(matrix[p, q]) > 1e-300 {
                let theta = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q])
                let t = (theta >= 0 ? 1 : -1) / (abs(theta) + (theta * theta + 1).squareRoot())
                let c = 1 / (t * t + 1).squareRoot()
                let s = t * c
                for k in 0..<3 {
                    let (a, b) = (matrix[k, p], matrix[k, q])
                    (matrix[k, p], matrix[k, q]) = (c * a - s * b, s * a + c * b)
                }
                for k in 0..<3 {
                    let (a, b) = (matrix[p, k], matrix[q, k])
                    (matrix[p, k], matrix[q, k]) = (c * a - s * b, s * a + c * b)
                    let (u, v) = (vectors[k, p], vectors[k, q])
                    (vectors[k, p], vectors[k, q]) = (c * u - s * v, s * u + c * v)
                }
            }
        }
        return ((0..<3).map { matrix[$0, $0] }, vectors)
    }
}
