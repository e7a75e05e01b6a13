extension Tensor {
    /// A new contiguous tensor written by `body`, which must set every element: they start out undefined.
    public static func build<Scalar: TensorScalar>(
        _ shape: Shape, of type: Scalar.Type, _ body: (inout MutableSpan<Scalar>) throws -> Void
    ) throws -> Tensor {
        let buffer = try HostBuffer(byteCount: shape.count * Scalar.dtype.byteCount)
        var span = unsafe MutableSpan(_unsafeElements: buffer.mutableBytes.bindMemory(to: Scalar.self))
        try body(&span)
        return Tensor(unchecked: buffer.freeze(), Scalar.dtype, shape, shape.rowMajorStrides, 0)
    }

    /// A contiguous tensor of any type whose raw bytes are written by `body`.
    public static func buildBytes(
        _ shape: Shape, dtype: DType, _ body: (UnsafeMutableRawBufferPointer) throws(TensorError) -> Void
    ) throws(TensorError) -> Tensor {
        let buffer = try HostBuffer(byteCount: shape.count * dtype.byteCount)
        try unsafe body(buffer.mutableBytes)
        return Tensor(unchecked: buffer.freeze(), dtype, shape, shape.rowMajorStrides, 0)
    }

    /// A float32 tensor from values in row-major order.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` when the number of values is not the shape's.
    public init(_ values: [Float], shape: Shape? = nil) throws(TensorError) {
        let shape = shape ?? [values.count]
        guard shape.count == values.count else {
            throw TensorError(.shapeMismatch, "\(values.count) values do not fill the shape \(shape)")
        }
        self = try unsafe Tensor.buildBytes(shape, dtype: .float32) { bytes throws(TensorError) in
            unsafe values.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        }
    }

    /// A float32 tensor with one value everywhere.
    public static func full(_ shape: Shape, _ value: Float) throws(TensorError) -> Tensor {
        try unsafe buildBytes(shape, dtype: .float32) { bytes throws(TensorError) in
            unsafe bytes.bindMemory(to: Float.self).update(repeating: value)
        }
    }

    /// A float32 tensor of zeros.
    public static func zeros(_ shape: Shape) throws(TensorError) -> Tensor { try full(shape, 0) }
}
