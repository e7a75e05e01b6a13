import Tensors

/// Fused element loops of the samplers: float32, in the order written, one pass per expression. The bodies are inlined
/// here, which `HostMath`, being in another library, cannot do.
enum Elementwise {
    @inline(__always) static func map(_ a: Tensor, _ body: (Float) -> Float) throws -> Tensor {
        let a = try a.asFloat32()
        return try a.withElements(of: Float.self) { x in
            try Tensor.build(a.shape, of: Float.self) { out in
                let n = x.count
                precondition(out.count == n)
                for i in 0..<n { out[i] = body(x[i]) }
            }
        }
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ body: (Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        let (a, b) = (try a.asFloat32(), try b.asFloat32())
        return try a.withElements(of: Float.self) { x in
            try b.withElements(of: Float.self) { y in
                try Tensor.build(a.shape, of: Float.self) { out in
                    let n = x.count
                    precondition(out.count == n && y.count == n)
                    for i in 0..<n { out[i] = body(x[i], y[i]) }
                }
            }
        }
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Float, Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        try check(a, c)
        let (a, b, c) = (try a.asFloat32(), try b.asFloat32(), try c.asFloat32())
        return try a.withElements(of: Float.self) { x in
            try b.withElements(of: Float.self) { y in
                try c.withElements(of: Float.self) { z in
                    try Tensor.build(a.shape, of: Float.self) { out in
                        let n = x.count
                        precondition(out.count == n && y.count == n && z.count == n)
                        for i in 0..<n { out[i] = body(x[i], y[i], z[i]) }
                    }
                }
            }
        }
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ body: (Float, Float, Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        try check(a, c)
        try check(a, d)
        let (a, b, c, d) = (try a.asFloat32(), try b.asFloat32(), try c.asFloat32(), try d.asFloat32())
        return try a.withElements(of: Float.self) { x in
            try b.withElements(of: Float.self) { y in
                try c.withElements(of: Float.self) { z in
                    try d.withElements(of: Float.self) { w in
                        try Tensor.build(a.shape, of: Float.self) { out in
                            let n = x.count
                            precondition(out.count == n && y.count == n && z.count == n && w.count == n)
                            for i in 0..<n { out[i] = body(x[i], y[i], z[i], w[i]) }
                        }
                    }
                }
            }
        }
    }

    /// Σ weightₖ · tensorₖ, added in the order given.
    static func sum(_ terms: [(weight: Float, tensor: Tensor)]) throws -> Tensor? {
        guard let first = terms.first else { return nil }
        let weight = first.weight
        var total = try map(first.tensor) { $0 * weight }
        for term in terms.dropFirst() {
            let weight = term.weight
            total = try zip(total, term.tensor) { $0 + $1 * weight }
        }
        return total
    }

    private static func check(_ a: Tensor, _ b: Tensor) throws {
        guard a.shape == b.shape else {
            throw TensorError(.shapeMismatch, "element-wise operation on shapes \(a.shape) and \(b.shape)")
        }
    }
}
