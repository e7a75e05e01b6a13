internal import CKernels
public import Tensors

extension CPUBackend {
    public func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor {
        guard table.shape.rank == 2 else {
            throw TensorError(.shapeMismatch, "gather: the table has the shape \(table.shape), expected [rows, width]")
        }
        if let wrong = ids.first(where: { $0 < 0 || $0 >= table.shape[0] }) {
            throw TensorError(.shapeMismatch, "gather: row \(wrong) of a table with \(table.shape[0]) rows")
        }
        let view = try rows(table, "gather")
        let held = table.dtype.rounding(heldAs: heldAs)
        let width = table.shape[1]
        defer { withExtendedLifetime(view) {} }
        return try unsafe Tensor.buildBytes([ids.count, width], dtype: .float32) { out throws(TensorError) in
            guard let base = out.baseAddress, width > 0 else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            pool.split(ids.count, grain: rowGrain(width)) { range in
                for index in range {
                    guard let row = unsafe view.address(ofRow: ids[index]) else { continue }
                    unsafe ck_to_float(set, row, view.tensor.dtype.code, held, result + index * width, width)
                }
            }
        }
    }

    public func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor {
        guard x.shape.rank == 4, height >= 0, width >= 0, x.shape[1] > 0 || height == 0,
            x.shape[2] > 0 || width == 0
        else {
            throw TensorError(
                .shapeMismatch,
                "resizeNearest: \(x.shape) to \(height) × \(width), expected a picture [batch, height, width, channels]"
            )
        }
        guard Shape.checkedCount([x.shape[0], height, width, x.shape[3], 4]) != nil else {
            throw TensorError(.outOfMemory, "resizeNearest: a picture of \(height) × \(width) cannot be held")
        }
        let x = try contiguous(x)
        let (batch, inHeight, inWidth, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let sourceRows = Self.nearest(inHeight, to: height)
        let sourceColumns = Self.nearest(inWidth, to: width)
        defer { withExtendedLifetime(x) {} }
        return try unsafe Tensor.buildBytes(
            [batch, height, width, channels], dtype: .float32
        ) { out throws(TensorError) in
            guard let base = out.baseAddress, let input = try unsafe x.floatAddress("resizeNearest") else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            pool.split(batch * height, grain: rowGrain(width * channels)) { range in
                for row in range {
                    let source = row / height * inHeight + sourceRows[row % height]
                    let from = unsafe input + source * inWidth * channels
                    let to = unsafe result + row * width * channels
                    for column in 0..<width {
                        unsafe (to + column * channels).update(
                            from: from + sourceColumns[column] * channels, count: channels)
                    }
                }
            }
        }
    }

    /// Source positions ⌊i · (from / to)⌋, the ratio in float32 as torch computes it.
    static func nearest(_ from: Int, to: Int) -> [Int] {
        let scale = Float(from) / Float(to)
        return (0..<to).map { min(Int(Float($0) * scale), from - 1) }
    }
}

extension DType {
    /// The kernels' code of the type to which values stored as this type must be rounded to be held as `type`;
    /// −1 when that changes nothing.
    func rounding(heldAs type: DType?) -> Int32 {
        guard let type, type != self else { return -1 }
        switch (self, type) {
        case (_, .float32), (_, .float64): return -1
        case (.float8e4m3, .float16), (.float8e4m3, .bfloat16): return -1
        case (.float8e5m2, .float16), (.float8e5m2, .bfloat16): return -1
        case (_, .float16), (_, .bfloat16), (_, .float8e4m3), (_, .float8e5m2): return type.code
        default: return -1
        }
    }
}
