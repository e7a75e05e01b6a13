/// An n-dimensional array: a value whose type says little.
///
/// A tensor is cheap to copy, safe to send and never written after creation. Views (``slice(axis:_:)``,
/// ``reshaped(_:)``) share storage and differ in layout; an operation that needs contiguous input says so.
/// Layout conventions: token sequences are `[batch, tokens, width]`, pictures inside models
/// `[batch, height, width, channels]`, latents at node level `[batch, channels, height, width]`.
public struct Tensor: Sendable {
    /// The only reference; shape and strides are inline.
    public let storage: any Storage
    public let dtype: DType
    public let shape: Shape
    /// Distance between neighbours along each axis, in elements.
    public let strides: Shape
    /// First element, counted in elements from the start of the storage.
    public let offset: Int

    /// A tensor over existing storage.
    ///
    /// - Throws: ``TensorError/Code/shapeMismatch`` when an element would lie outside the storage.
    public init(
        storage: any Storage, dtype: DType, shape: Shape, strides: Shape? = nil, offset: Int = 0
    ) throws(TensorError) {
        let strides = strides ?? shape.rowMajorStrides
        var lastElement = offset
        for axis in 0..<shape.rank where shape[axis] > 0 { lastElement += (shape[axis] - 1) * strides[axis] }
        let needed = shape.count == 0 ? 0 : (lastElement + 1) * dtype.byteCount
        guard offset >= 0, needed <= storage.byteCount else {
            throw TensorError(
                .shapeMismatch,
                "a tensor of shape \(shape) and type \(dtype.rawValue) needs \(needed) bytes, the storage has "
                    + "\(storage.byteCount)")
        }
        self.init(unchecked: storage, dtype, shape, strides, offset)
    }

    init(unchecked storage: any Storage, _ dtype: DType, _ shape: Shape, _ strides: Shape, _ offset: Int) {
        self.storage = storage
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
    }

    /// Number of elements.
    public var count: Int { shape.count }

    /// Whether the elements lie one after the other in row-major order.
    public var isContiguous: Bool {
        var running = 1
        for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
            if shape[axis] != 1 && strides[axis] != running { return false }
            running *= shape[axis]
        }
        return true
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "Tensor(\(dtype.rawValue) \(shape))" }
}
