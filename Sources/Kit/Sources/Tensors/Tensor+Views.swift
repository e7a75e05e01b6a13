extension Tensor {
    /// The elements `range` along `axis`, sharing storage.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` when the range leaves the tensor.
    public func slice(axis: Int, _ range: Range<Int>) throws(TensorError) -> Tensor {
        guard axis >= 0, axis < shape.rank, range.lowerBound >= 0, range.upperBound <= shape[axis] else {
            throw TensorError(.shapeMismatch, "slice \(range) of axis \(axis) leaves the shape \(shape)")
        }
        return Tensor(
            unchecked: storage, dtype, shape.replacing(axis, with: range.count), strides,
            offset + range.lowerBound * strides[axis])
    }

    /// The same elements under another shape. Contiguous tensors only; use `Backend.contiguous` first otherwise.
    public func reshaped(_ newShape: Shape) throws(TensorError) -> Tensor {
        guard newShape.count == count else {
            throw TensorError(.shapeMismatch, "the shape \(shape) cannot be read as \(newShape)")
        }
        guard isContiguous else {
            throw TensorError(.shapeMismatch, "a strided view of shape \(shape) cannot be reshaped to \(newShape)")
        }
        return Tensor(unchecked: storage, dtype, newShape, newShape.rowMajorStrides, offset)
    }

    /// Axes in another order, sharing storage.
    public func permuted(_ axes: [Int]) throws(TensorError) -> Tensor {
        guard axes.sorted() == Array(0..<shape.rank) else {
            throw TensorError(.shapeMismatch, "\(axes) is not a permutation of the axes of \(shape)")
        }
        return Tensor(
            unchecked: storage, dtype, Shape(axes.map { shape[$0] }), Shape(axes.map { strides[$0] }), offset)
    }

    /// The tensor repeated along axes of extent 1 (stride 0), numpy style; no copy.
    public func broadcast(to target: Shape) throws(TensorError) -> Tensor {
        guard target.rank >= shape.rank else {
            throw TensorError(.shapeMismatch, "the shape \(shape) does not broadcast to \(target)")
        }
        let lead = target.rank - shape.rank
        var newStrides = [Int](repeating: 0, count: target.rank)
        for axis in 0..<shape.rank {
            if shape[axis] == target[axis + lead] {
                newStrides[axis + lead] = strides[axis]
            } else if shape[axis] != 1 {
                throw TensorError(.shapeMismatch, "the shape \(shape) does not broadcast to \(target)")
            }
        }
        return Tensor(unchecked: storage, dtype, target, Shape(newStrides), offset)
    }
}
