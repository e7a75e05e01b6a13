import Tensors

/// Fused element loops of the samplers: float32, in the order written, one pass per expression.
///
/// The loops run over pointers in functions that are inlined into the sampler: inside the closures that
/// `Tensor.withElements` and `Tensor.build` take, which live in another library, the body would be called per element.
enum Elementwise {
    @inline(__always) static func map(_ a: Tensor, _ body: (Float) -> Float) throws -> Tensor {
        let a = try a.asFloat32()
        let buffer = try HostBuffer(byteCount: a.count * MemoryLayout<Float>.size)
        if let x = try unsafe elements(a), let out = unsafe elements(buffer) {
            for i in 0..<a.count { unsafe out[i] = body(x[i]) }
        }
        withExtendedLifetime(a) {}
        return try Tensor(storage: buffer.freeze(), dtype: .float32, shape: a.shape)
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ body: (Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        let (a, b) = (try a.asFloat32(), try b.asFloat32())
        let buffer = try HostBuffer(byteCount: a.count * MemoryLayout<Float>.size)
        if let x = try unsafe elements(a), let y = try unsafe elements(b), let out = unsafe elements(buffer) {
            for i in 0..<a.count { unsafe out[i] = body(x[i], y[i]) }
        }
        withExtendedLifetime((a, b)) {}
        return try Tensor(storage: buffer.freeze(), dtype: .float32, shape: a.shape)
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Float, Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        try check(a, c)
        let (a, b, c) = (try a.asFloat32(), try b.asFloat32(), try c.asFloat32())
        let buffer = try HostBuffer(byteCount: a.count * MemoryLayout<Float>.size)
        if let x = try unsafe elements(a), let y = try unsafe elements(b), let z = try unsafe elements(c),
            let out = unsafe elements(buffer)
        {
            for i in 0..<a.count { unsafe out[i] = body(x[i], y[i], z[i]) }
        }
        withExtendedLifetime((a, b, c)) {}
        return try Tensor(storage: buffer.freeze(), dtype: .float32, shape: a.shape)
    }

    @inline(__always) static func zip(
        _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ body: (Float, Float, Float, Float) -> Float
    ) throws -> Tensor {
        try check(a, b)
        try check(a, c)
        try check(a, d)
        let (a, b, c, d) = (try a.asFloat32(), try b.asFloat32(), try c.asFloat32(), try d.asFloat32())
        let buffer = try HostBuffer(byteCount: a.count * MemoryLayout<Float>.size)
        if let x = try unsafe elements(a), let y = try unsafe elements(b), let z = try unsafe elements(c),
            let w = try unsafe elements(d), let out = unsafe elements(buffer)
        {
            for i in 0..<a.count { unsafe out[i] = body(x[i], y[i], z[i], w[i]) }
        }
        withExtendedLifetime((a, b, c, d)) {}
        return try Tensor(storage: buffer.freeze(), dtype: .float32, shape: a.shape)
    }

    /// The first element of a contiguous float32 tensor, which the caller keeps alive; `nil` if it has none.
    private static func elements(_ tensor: Tensor) throws -> UnsafePointer<Float>? {
        try unsafe tensor.withBytes { unsafe $0.bindMemory(to: Float.self).baseAddress }
    }

    private static func elements(_ buffer: borrowing HostBuffer) -> UnsafeMutablePointer<Float>? {
        unsafe buffer.mutableBytes.bindMemory(to: Float.self).baseAddress
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
