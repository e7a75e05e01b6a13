internal import CKernels
public import Tensors

extension CPUBackend {
    public func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try binary(ck_add, a, b, "add") }

    public func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try binary(ck_multiply, a, b, "multiply")
    }

    private func binary(
        _ operation: Int, _ a: Tensor, _ b: Tensor, _ name: StaticString
    ) throws(TensorError) -> Tensor {
        let code = Int32(operation)
        let wide: Tensor
        do {
            wide = try b.broadcast(to: a.shape)
        } catch {
            throw TensorError(.shapeMismatch, "\(name): \(b.shape) cannot be broadcast to \(a.shape)")
        }
        // One run when both are contiguous; otherwise one per row, the second operand stepping by 1 or 0.
        if a.isContiguous, wide.isContiguous {
            let (left, right) = (try unsafe a.hostAddress(name), try unsafe wide.hostAddress(name))
            let (aSize, bSize) = (a.dtype.byteCount, wide.dtype.byteCount)
            defer { withExtendedLifetime((a, wide)) {} }
            return try unsafe Tensor.buildBytes(a.shape, dtype: .float32) { out throws(TensorError) in
                guard let left = unsafe left, let right = unsafe right, let base = out.baseAddress else { return }
                let result = unsafe base.assumingMemoryBound(to: Float.self)
                pool.split(a.count, grain: 16384) { range in
                    let at = range.lowerBound
                    unsafe ck_binary(
                        set, code, left + at * aSize, a.dtype.code, right + at * bSize, wide.dtype.code, 1,
                        result + at, range.count)
                }
            }
        }
        let last = wide.shape.rank - 1
        let repeats = wide.shape.last > 1 && wide.strides[last] == 0
        if !repeats, wide.shape.last > 1, wide.strides[last] != 1 {
            return try binary(operation, a, contiguous(wide), name)
        }
        let view = try rows(a, name)
        let other = unsafe try wide.hostAddress(name)
        let offsets = RowOffsets(wide)
        defer { withExtendedLifetime((view, wide)) {} }
        return try unsafe Tensor.buildBytes(a.shape, dtype: .float32) { out throws(TensorError) in
            guard let right = unsafe other, let base = out.baseAddress else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            let size = wide.dtype.byteCount
            pool.split(view.count, grain: rowGrain(view.width)) { range in
                for row in range {
                    guard let left = unsafe view.address(ofRow: row) else { continue }
                    unsafe ck_binary(
                        set, code, left, view.tensor.dtype.code, right + offsets[row] * size, wide.dtype.code,
                        repeats ? 0 : 1, result + row * view.width, view.width)
                }
            }
        }
    }

    public func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor {
        let view = try rows(x, "activate")
        let type = type(of: result)
        defer { withExtendedLifetime(view) {} }
        return try unsafe Tensor.buildBytes(x.shape, dtype: type) { out throws(TensorError) in
            guard let base = out.baseAddress else { return }
            unsafe forEachRun([view]) { starts, at, count in
                guard let input = unsafe starts[0] else { return }
                unsafe ck_activate(
                    set, activation.code, input, view.tensor.dtype.code, base + at * type.byteCount, type.code, count)
            }
        }
    }

    public func parametricRelu(_ x: Tensor, slopes: Tensor) throws(TensorError) -> Tensor {
        let x = try contiguous(x)
        let channels = x.shape.last
        guard x.shape.rank > 0, let slopes = try vector(slopes, count: channels, "slopes", "parametricRelu") else {
            return x
        }
        defer { withExtendedLifetime((x, slopes)) {} }
        return try unsafe Tensor.buildBytes(x.shape, dtype: .float32) { out throws(TensorError) in
            guard let base = out.baseAddress, x.count > 0, let input = try unsafe x.floatAddress("parametricRelu"),
                let factors = try unsafe slopes.floatAddress("parametricRelu")
            else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            pool.split(x.count / channels, grain: rowGrain(channels)) { range in
                let at = range.lowerBound * channels
                unsafe ck_parametric_relu(set, input + at, range.count, channels, factors, result + at)
            }
        }
    }

    public func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor {
        guard gate.shape == up.shape else {
            throw TensorError(.shapeMismatch, "gated: gate \(gate.shape) and up \(up.shape) differ in shape")
        }
        let (first, second) = (try rows(gate, "gated"), try rows(up, "gated"))
        let type = type(of: result)
        defer { withExtendedLifetime((first, second)) {} }
        return try unsafe Tensor.buildBytes(gate.shape, dtype: type) { out throws(TensorError) in
            guard let base = out.baseAddress else { return }
            unsafe forEachRun([first, second]) { starts, at, count in
                guard let left = unsafe starts[0], let right = unsafe starts[1] else { return }
                unsafe ck_gated(
                    set, activation.code, left, first.tensor.dtype.code, right, second.tensor.dtype.code,
                    base + at * type.byteCount, type.code, count)
            }
        }
    }

    /// Calls `body(starts, position, count)` for runs of neighbours covering the views, on all threads: pieces of the
    /// whole when every view is contiguous, rows otherwise.
    private func forEachRun(
        _ views: [RowView], _ body: (_ starts: [UnsafeRawPointer?], _ position: Int, _ count: Int) -> Void
    ) {
        guard let first = views.first, first.count > 0 else { return }
        if views.allSatisfy({ $0.uniformStride == $0.width }) {
            pool.split(first.count * first.width, grain: 16384) { range in
                unsafe body(
                    views.map { unsafe $0.address(ofElement: range.lowerBound) }, range.lowerBound, range.count)
            }
            return
        }
        pool.split(first.count, grain: rowGrain(first.width)) { range in
            for row in range {
                unsafe body(views.map { unsafe $0.address(ofRow: row) }, row * first.width, first.width)
            }
        }
    }

    public func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor {
        guard let first = parts.first else { throw TensorError(.shapeMismatch, "concatenate: no parts") }
        guard axis >= 0, axis < first.shape.rank else {
            throw TensorError(.shapeMismatch, "concatenate: \(first.shape) has no axis \(axis)")
        }
        var total = 0
        for part in parts {
            guard part.shape.rank == first.shape.rank,
                part.shape.replacing(axis, with: 0) == first.shape.replacing(axis, with: 0)
            else {
                throw TensorError(
                    .shapeMismatch,
                    "concatenate: \(first.shape) and \(part.shape) differ in another axis than \(axis)")
            }
            total += part.shape[axis]
        }
        let outer = Shape(first.shape.array[..<axis]).count
        let inner = Shape(first.shape.array[(axis + 1)...]).count
        return try unsafe Tensor.buildBytes(
            first.shape.replacing(axis, with: total), dtype: .float32
        ) { out throws(TensorError) in
            guard let base = out.baseAddress else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            var column = 0
            for part in parts {
                let run = part.shape[axis] * inner
                defer { column += run }
                if run == 0 || outer == 0 { continue }
                try unsafe fill(result + column, rowLength: run, rowStride: total * inner, from: part)
            }
        }
    }

    public func contiguous(_ x: Tensor) throws(TensorError) -> Tensor {
        if x.dtype == .float32, x.isContiguous { return x }
        return try unsafe Tensor.buildBytes(x.shape, dtype: .float32) { out throws(TensorError) in
            guard let base = out.baseAddress, x.count > 0 else { return }
            try unsafe fill(
                base.assumingMemoryBound(to: Float.self), rowLength: x.count, rowStride: x.count, from: x)
        }
    }

    /// Writes the elements of `x` in row-major order as float32 runs of `rowLength`, each starting `rowStride` after
    /// the one before.
    private func fill(
        _ out: UnsafeMutablePointer<Float>, rowLength: Int, rowStride: Int, from x: Tensor
    ) throws(TensorError) {
        guard let base = try unsafe x.hostAddress("contiguous") else { return }
        defer { withExtendedLifetime(x) {} }
        let (size, code) = (x.dtype.byteCount, x.dtype.code)
        if x.isContiguous {
            // Pieces of at most a few pages, so that one long row is shared too.
            let piece = min(rowLength, 1 << 16)
            let pieces = (rowLength + piece - 1) / piece
            pool.run(x.count / rowLength * pieces) { _, task in
                let (row, start) = (task / pieces, task % pieces * piece)
                let count = min(piece, rowLength - start)
                unsafe ck_to_float(
                    set, base + (row * rowLength + start) * size, code, -1, out + row * rowStride + start, count)
            }
            return
        }
        let width = x.shape.last
        let step = x.shape.rank == 0 ? 1 : x.strides[x.shape.rank - 1]
        let offsets = RowOffsets(x)
        pool.split(x.count / width, grain: rowGrain(width)) { range in
            for row in range {
                let input = unsafe base + offsets[row] * size
                // The last axis lies within one run: runs end at whole rows of x.
                let position = row * width
                let target = unsafe out + position / rowLength * rowStride + position % rowLength
                if step == 1 {
                    unsafe ck_to_float(set, input, code, -1, target, width)
                } else {
                    unsafe ck_gather_to_float(set, input, code, step, target, width)
                }
            }
        }
    }
}

/// Distance of every row of a tensor of any layout from its first element, in elements.
struct RowOffsets {
    private let extents: [Int]
    private let strides: [Int]

    init(_ x: Tensor) {
        let outer = max(x.shape.rank - 1, 0)
        extents = Array(x.shape.array.prefix(outer))
        strides = Array(x.strides.array.prefix(outer))
    }

    subscript(row: Int) -> Int {
        var rest = row
        var offset = 0
        for axis in stride(from: extents.count - 1, through: 0, by: -1) {
            offset += rest % extents[axis] * strides[axis]
            rest /= extents[axis]
        }
        return offset
    }
}

extension RowView {
    /// Where a row starts.
    func address(ofRow row: Int) -> UnsafeRawPointer? {
        let offset = unsafe row / rows.inner * rows.outer_stride + row % rows.inner * rows.inner_stride
        return unsafe rows.data.map { unsafe $0 + offset * tensor.dtype.byteCount }
    }

    /// Where an element of a view without gaps lies.
    func address(ofElement index: Int) -> UnsafeRawPointer? {
        unsafe rows.data.map { unsafe $0 + index * tensor.dtype.byteCount }
    }
}
