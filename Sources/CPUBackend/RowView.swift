internal import CKernels
internal import Tensors

/// A tensor seen as rows along its last axis, for the C kernels. Keeps the tensor alive.
@safe struct RowView {
    let tensor: Tensor
    /// Number of rows and elements in each.
    let count: Int
    let width: Int
    let rows: ck_rows

    /// The distance between neighbouring rows when it is the same everywhere.
    var uniformStride: Int? {
        if count <= 1 { return width }
        if unsafe rows.inner == count { return unsafe rows.inner_stride }
        if unsafe rows.inner == 1 { return unsafe rows.outer_stride }
        return nil
    }
}

extension CPUBackend {
    /// The rows of `x`; a copy is made only for layouts that are not rows at regular distances.
    func rows(_ x: Tensor, _ operation: StaticString) throws(TensorError) -> RowView {
        let width = x.shape.last
        let count = width == 0 ? 0 : x.count / width
        var axes: [(extent: Int, stride: Int)] = []
        if x.shape.rank > 1 {
            for axis in 0..<x.shape.rank - 1 where x.shape[axis] != 1 {
                let next = (extent: x.shape[axis], stride: x.strides[axis])
                if let last = axes.last, last.stride == next.extent * next.stride {
                    axes[axes.count - 1] = (last.extent * next.extent, next.stride)
                } else {
                    axes.append(next)
                }
            }
        }
        let dense = width <= 1 || x.strides[x.shape.rank - 1] == 1
        if count > 0, !dense || axes.count > 2 {
            return try rows(contiguous(x), operation)
        }
        let inner = axes.last ?? (extent: max(count, 1), stride: width)
        let outer = axes.count > 1 ? axes[0] : (extent: 1, stride: 0)
        let address = try unsafe x.hostAddress(operation)
        return unsafe RowView(
            tensor: x, count: count, width: width,
            rows: ck_rows(
                data: address, type: x.dtype.code, inner: max(inner.extent, 1), outer_stride: outer.stride,
                inner_stride: inner.stride))
    }

    /// A vector of `count` numbers of any type as contiguous float32.
    func vector(
        _ x: Tensor?, count: Int, _ name: StaticString, _ operation: StaticString
    ) throws(TensorError) -> Tensor? {
        guard let x else { return nil }
        guard x.count == count else {
            throw TensorError(
                .shapeMismatch, "\(operation): \(name) has the shape \(x.shape), expected \(count) numbers")
        }
        return try x.asFloat32()
    }

    /// `[batch or 1, width]` as contiguous float32 `[batch, width]`.
    func perItem(
        _ x: Tensor?, batch: Int, width: Int, _ name: StaticString, _ operation: StaticString
    ) throws(TensorError) -> Tensor? {
        guard let x else { return nil }
        guard x.shape.rank == 2, x.shape[1] == width, x.shape[0] == batch || x.shape[0] == 1 else {
            throw TensorError(
                .shapeMismatch, "\(operation): \(name) has the shape \(x.shape), expected [\(batch), \(width)]")
        }
        return x.shape[0] == batch ? try x.asFloat32() : try x.broadcast(to: [batch, width]).asFloat32()
    }
}

extension Tensor {
    /// Where the first element lies; `nil` for an empty tensor.
    ///
    /// - Throws: ``TensorError/Code/deviceMismatch``.
    func hostAddress(_ operation: StaticString) throws(TensorError) -> UnsafeRawPointer? {
        guard let bytes = unsafe storage.hostBytes else {
            throw TensorError(.deviceMismatch, "\(operation): the operand \(shape) is not in host memory")
        }
        guard count > 0, let base = bytes.baseAddress else { return nil }
        return unsafe base + offset * dtype.byteCount
    }

    /// The elements of a contiguous float32 tensor.
    func floatAddress(_ operation: StaticString) throws(TensorError) -> UnsafePointer<Float>? {
        unsafe try hostAddress(operation)?.assumingMemoryBound(to: Float.self)
    }
}

extension Activation {
    /// The number by which the kernels know the function.
    var code: Int32 {
        switch self {
        case .identity: Int32(ck_identity)
        case .silu: Int32(ck_silu)
        case .geluTanh: Int32(ck_gelu_tanh)
        case .gelu: Int32(ck_gelu)
        case .quickGelu: Int32(ck_quick_gelu)
        case .relu: Int32(ck_relu)
        case .leakyRelu: Int32(ck_leaky_relu)
        }
    }
}
