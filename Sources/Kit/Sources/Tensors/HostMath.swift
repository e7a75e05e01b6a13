/// Strictly ordered float32 arithmetic on host tensors, for samplers, guidance, masks and pictures: small tensors whose
/// results must not depend on the machine. Model arithmetic goes through a `Backend`.
public enum HostMath {
    /// body(aᵢ) for every element.
    public static func map(_ a: Tensor, _ body: (Float) -> Float) throws -> Tensor {
        let a = try a.asFloat32()
        return try a.withElements(of: Float.self) { x in
            try Tensor.build(a.shape, of: Float.self) { out in
                for i in x.indices { out[i] = body(x[i]) }
            }
        }
    }

    /// body(aᵢ, bᵢ) for tensors of equal shape.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch``.
    public static func zip(_ a: Tensor, _ b: Tensor, _ body: (Float, Float) -> Float) throws -> Tensor {
        guard a.shape == b.shape else {
            throw TensorError(.shapeMismatch, "element-wise operation on shapes \(a.shape) and \(b.shape)")
        }
        let a = try a.asFloat32()
        let b = try b.asFloat32()
        return try a.withElements(of: Float.self) { x in
            try b.withElements(of: Float.self) { y in
                try Tensor.build(a.shape, of: Float.self) { out in
                    for i in x.indices { out[i] = body(x[i], y[i]) }
                }
            }
        }
    }

    /// body(aᵢ, bᵢ, cᵢ) for tensors of equal shape.
    public static func zip(
        _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Float, Float, Float) -> Float
    ) throws -> Tensor {
        guard a.shape == b.shape, a.shape == c.shape else {
            throw TensorError(.shapeMismatch, "element-wise operation on shapes \(a.shape), \(b.shape) and \(c.shape)")
        }
        let a = try a.asFloat32()
        let b = try b.asFloat32()
        let c = try c.asFloat32()
        return try a.withElements(of: Float.self) { x in
            try b.withElements(of: Float.self) { y in
                try c.withElements(of: Float.self) { z in
                    try Tensor.build(a.shape, of: Float.self) { out in
                        for i in x.indices { out[i] = body(x[i], y[i], z[i]) }
                    }
                }
            }
        }
    }

    public static func add(_ a: Tensor, _ b: Tensor) throws -> Tensor { try zip(a, b) { $0 + $1 } }
    public static func subtract(_ a: Tensor, _ b: Tensor) throws -> Tensor { try zip(a, b) { $0 - $1 } }
    public static func multiply(_ a: Tensor, _ b: Tensor) throws -> Tensor { try zip(a, b) { $0 * $1 } }
    public static func scale(_ a: Tensor, _ factor: Float) throws -> Tensor { try map(a) { $0 * factor } }

    /// Whether any element is NaN or infinite.
    public static func hasNonFinite(_ a: Tensor) throws -> Bool {
        try a.asFloat32().withElements(of: Float.self) { x in x.indices.contains { !x[$0].isFinite } }
    }

    /// Whether every element is zero.
    public static func isZero(_ a: Tensor) throws -> Bool {
        try a.asFloat32().withElements(of: Float.self) { x in x.indices.allSatisfy { x[$0] == 0 } }
    }

    /// One tensor after the other along `axis`.
    public static func concatenate(_ parts: [Tensor], axis: Int) throws -> Tensor {
        guard let first = parts.first else { throw TensorError(.shapeMismatch, "nothing to concatenate") }
        var total = 0
        for part in parts {
            guard part.shape.rank == first.shape.rank, axis < part.shape.rank,
                part.shape.replacing(axis, with: 0) == first.shape.replacing(axis, with: 0)
            else {
                throw TensorError(
                    .shapeMismatch, "shapes \(first.shape) and \(part.shape) cannot be joined along axis \(axis)")
            }
            total += part.shape[axis]
        }
        let shape = first.shape.replacing(axis, with: total)
        let outer = Shape(first.shape.array[..<axis]).count
        let inner = Shape(first.shape.array[(axis + 1)...]).count
        let dense = try parts.map { try $0.asFloat32() }
        return try Tensor.build(shape, of: Float.self) { out in
            var column = 0
            for part in dense {
                let run = part.shape[axis] * inner
                try part.withElements(of: Float.self) { x in
                    for row in 0..<outer {
                        for i in 0..<run {
                            out[row * total * inner + column + i] = x[row * run + i]
                        }
                    }
                }
                column += run
            }
        }
    }

    /// The batch (axis 0) repeated or cut to `count` items, cycling.
    public static func cycleBatch(_ a: Tensor, to count: Int) throws -> Tensor {
        let have = a.shape[0]
        if have == count { return a }
        guard have > 0 else { throw TensorError(.shapeMismatch, "an empty batch cannot be repeated") }
        if count < have { return try a.slice(axis: 0, 0..<count) }
        return try concatenate((0..<count).map { try a.slice(axis: 0, $0 % have..<$0 % have + 1) }, axis: 0)
    }
}
