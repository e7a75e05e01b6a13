internal import CNumeric

extension Tensor {
    /// The bytes of a contiguous host tensor.
    ///
    /// - Throws: ``TensorError/Code/deviceMismatch`` for device memory, ``TensorError/Code/shapeMismatch`` for a
    ///   strided view.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard let bytes = unsafe storage.hostBytes else {
            throw TensorError(.deviceMismatch, "the tensor \(shape) is not in host memory")
        }
        guard isContiguous else {
            throw TensorError(.shapeMismatch, "a strided view \(shape) has no single range of bytes")
        }
        let start = offset * dtype.byteCount
        return try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count * dtype.byteCount]))
    }

    /// The elements of a contiguous host tensor.
    ///
    /// - Throws: ``TensorError/Code/dtypeMismatch`` when they are of another type, and what ``withBytes(_:)`` throws.
    public func withElements<Scalar: TensorScalar, Result>(
        of type: Scalar.Type, _ body: (Span<Scalar>) throws -> Result
    ) throws -> Result {
        guard dtype == Scalar.dtype else {
            throw TensorError(.dtypeMismatch, "expected \(Scalar.dtype.rawValue), found \(dtype.rawValue) \(shape)")
        }
        return try unsafe withBytes { bytes in
            try body(unsafe Span(_unsafeElements: bytes.bindMemory(to: Scalar.self)))
        }
    }

    /// The values as float32 in row-major order, whatever the type and layout. Host tensors only.
    public func floats() throws -> [Float] {
        try asFloat32().withElements(of: Float.self) { span in
            unsafe [Float](unsafeUninitializedCapacity: span.count) { out, count in
                for i in span.indices { unsafe out.initializeElement(at: i, to: span[i]) }
                count = span.count
            }
        }
    }

    /// A contiguous float32 tensor with the same values; the tensor itself if it is one already.
    public func asFloat32() throws(TensorError) -> Tensor {
        if dtype == .float32 && isContiguous { return self }
        return try converted(to: .float32)
    }

    /// A contiguous copy with elements of another type, rounded to nearest even (what is too large for e4m3fn
    /// becomes its largest number). Through float32, except that equal types are copied bit for bit.
    public func converted(to target: DType) throws(TensorError) -> Tensor {
        guard let bytes = unsafe storage.hostBytes else {
            throw TensorError(.deviceMismatch, "the tensor \(shape) is not in host memory")
        }
        let rowLength = shape.rank == 0 ? 1 : (strides[shape.rank - 1] == 1 ? shape.last : 1)
        let outerRank = rowLength == 1 && shape.rank > 0 ? shape.rank : max(shape.rank - 1, 0)
        let source = self
        return try unsafe Tensor.buildBytes(shape, dtype: target) { out throws(TensorError) in
            guard source.count > 0, let outBase = out.baseAddress, let inBase = bytes.baseAddress else {
                return
            }
            if source.isContiguous {
                unsafe convertRun(
                    inBase + source.offset * source.dtype.byteCount, source.dtype, outBase, target, source.count)
                return
            }
            var index = [Int](repeating: 0, count: outerRank)
            var written = 0
            while true {
                var position = source.offset
                for axis in 0..<outerRank { position += index[axis] * source.strides[axis] }
                unsafe convertRun(
                    inBase + position * source.dtype.byteCount, source.dtype, outBase + written * target.byteCount,
                    target, rowLength)
                written += rowLength
                var axis = outerRank - 1
                while axis >= 0 {
                    index[axis] += 1
                    if index[axis] < source.shape[axis] { break }
                    index[axis] = 0
                    axis -= 1
                }
                if axis < 0 { break }
            }
        }
    }
}

extension Tensor {
    /// The values rounded to an fp8 type up or down at random, as the reference rounds patched fp8 weights.
    ///
    /// - Parameter uniforms: as many numbers in [0, 1), each a float16 value.
    /// - Throws: ``TensorError`` when the shapes differ or the type is not fp8.
    public func roundedStochastically(to type: DType, uniforms: Tensor) throws -> Tensor {
        guard type == .float8e4m3 || type == .float8e5m2, uniforms.count == count else {
            throw TensorError(
                .shapeMismatch, "stochastic rounding of \(shape) to \(type.rawValue) with \(uniforms.count) numbers")
        }
        let (x, u) = (try asFloat32(), try uniforms.asFloat32())
        return try unsafe x.withBytes { values in
            try unsafe u.withBytes { numbers in
                try unsafe Tensor.buildBytes(shape, dtype: type) { out throws(TensorError) in
                    unsafe cn_round_fp8_stochastic(
                        values.bindMemory(to: Float.self).baseAddress, numbers.bindMemory(to: Float.self).baseAddress,
                        out.bindMemory(to: UInt8.self).baseAddress, count, type == .float8e4m3 ? 3 : 2)
                }
            }
        }
    }
}

/// Converts `count` neighbouring elements from one type to another.
func convertRun(
    _ input: UnsafeRawPointer, _ from: DType, _ output: UnsafeMutableRawPointer, _ to: DType, _ count: Int
) {
    if from == to {
        unsafe output.copyMemory(from: input, byteCount: count * from.byteCount)
        return
    }
    unsafe cn_convert(input, from.code, output, to.code, count)
}

extension DType {
    /// The number by which the C conversion routines know the type (`CNumeric/cnumeric.h`).
    public var code: Int32 {
        switch self {
        case .float64: 0
        case .float32: 1
        case .float16: 2
        case .bfloat16: 3
        case .float8e4m3: 4
        case .float8e5m2: 5
        case .int64: 6
        case .int32: 7
        case .int16: 8
        case .int8: 9
        case .uint8: 10
        case .bool: 11
        }
    }
}
