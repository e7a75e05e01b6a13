internal import CKernels
internal import Tensors

/// A column block of x in the type in which a library multiplies it.
private struct ProductOperand {
    let view: RowView
    /// Elements between neighbouring rows.
    let stride: Int
    var width: Int { view.width }
}

/// How the result of a product is cut into tasks.
private struct Tiling {
    let rows: Int
    let columns: Int
    let rowBlocks: Int
    let columnBlocks: Int

    var count: Int { rowBlocks * columnBlocks }

    /// Blocks of about 256 columns; smaller ones, and blocks of rows, when that leaves threads without work.
    init(tokens: Int, outputs: Int, threads: Int, maximumRows: Int) {
        var columns = min(outputs, 256)
        var rows = min(tokens, maximumRows)
        let wanted = threads == 1 ? 1 : 4 * threads
        func tasks() -> Int { ((outputs + columns - 1) / columns) * ((tokens + rows - 1) / rows) }
        while tasks() < wanted {
            if columns > 64 {
                columns = (columns / 2 + 15) / 16 * 16
            } else if rows > 64 {
                rows = (rows / 2 + 15) / 16 * 16
            } else {
                break
            }
        }
        self.rows = rows
        self.columns = columns
        rowBlocks = (tokens + rows - 1) / rows
        columnBlocks = (outputs + columns - 1) / columns
    }
}

extension CPUBackend {
    /// The block in the type of the products, rows at one distance: itself, or a copy.
    private func productOperand(_ x: Tensor) throws(TensorError) -> ProductOperand {
        let type: DType = multipliesBFloat16 ? .bfloat16 : .float32
        let view = try rows(x, "linear")
        if view.tensor.dtype == type, let stride = view.uniformStride {
            return ProductOperand(view: view, stride: stride)
        }
        let copy = try unsafe Tensor.buildBytes([view.count, view.width], dtype: type) { out throws(TensorError) in
            let output = unsafe ck_output(data: out.baseAddress, type: type.code)
            unsafe withUnsafePointer(to: view.rows) { source in
                unsafe withUnsafePointer(to: output) { output in
                    pool.split(view.count, grain: rowGrain(view.width)) { range in
                        unsafe ck_copy_rows(set, source, view.width, output, range.lowerBound, range.upperBound)
                    }
                }
            }
        }
        defer { withExtendedLifetime(view) {} }
        return ProductOperand(view: try rows(copy, "linear"), stride: view.width)
    }

    /// The layer through OpenBLAS or oneDNN: weights of another type are converted in blocks first.
    func libraryLinear(_ x: [Tensor], _ layer: LinearLayer, to output: ck_output) throws(TensorError) {
        let operands = try x.map { block throws(TensorError) in try productOperand(block) }
        defer { withExtendedLifetime(operands) {} }
        // t = x · downᵀ of every adapter, once.
        var reduced: [Tensor] = []
        for adapter in layer.adapters {
            let plain = LinearLayer(x: layer, plain: adapter.down)
            reduced.append(
                try unsafe Tensor.buildBytes(plain.shape, dtype: .float32) { out throws(TensorError) in
                    try unsafe multiply(
                        operands, plain, [], to: ck_output(data: out.baseAddress, type: DType.float32.code))
                })
        }
        try unsafe multiply(operands, layer, reduced, to: output)
    }

    /// The whole layer, block by block; `reduced` are the adapters' x · downᵀ.
    private func multiply(
        _ x: [ProductOperand], _ layer: LinearLayer, _ reduced: [Tensor], to output: ck_output
    ) throws(TensorError) {
        guard let outBase = unsafe output.data else { return }
        let inPlace = unsafe output.type == DType.float32.code
        let converts = layer.weight.needsConversion(toBFloat16: multipliesBFloat16)
        // Converted weights are used for all tokens at once. Sums that are not the result itself should stay in the
        // cache until the epilogue has read them.
        let tiling = Tiling(
            tokens: layer.tokens, outputs: layer.outputs, threads: pool.threads,
            maximumRows: converts || inPlace ? layer.tokens : 1024)
        let sumBytes = inPlace ? 0 : (tiling.rows * tiling.columns * 4 + 63) / 64 * 64
        let rank = layer.adapters.map(\.down.rows).max() ?? 0
        let weightBytes = (tiling.columns * max(min(layer.inputs, Self.convertedColumns), rank) * 4 + 63) / 64 * 64
        let libraryBytes = try multipliesBFloat16 ? scratchForProducts(x, layer, tiling, inPlace) : 0
        let scratch = try WorkerScratch(
            workers: pool.threads, byteCount: sumBytes + weightBytes + libraryBytes)
        try pool.run(tiling.count) { worker, task throws(TensorError) in
            guard let memory = unsafe scratch.memory(of: worker) else { return }
            let firstRow = task % tiling.rowBlocks * tiling.rows
            let firstColumn = task / tiling.rowBlocks * tiling.columns
            let rows = firstRow..<min(firstRow + tiling.rows, layer.tokens)
            let columns = firstColumn..<min(firstColumn + tiling.columns, layer.outputs)
            let whole = unsafe outBase.assumingMemoryBound(to: Float.self)
            let sums =
                unsafe inPlace
                ? whole + firstRow * layer.outputs + firstColumn : memory.assumingMemoryBound(to: Float.self)
            let stride = inPlace ? layer.outputs : tiling.columns
            let weights = unsafe memory + sumBytes
            let library = unsafe weights + weightBytes
            var factor = layer.factor
            if multipliesBFloat16 {
                try unsafe multiplyBFloat16(x, layer.weight, rows, columns, sums, stride, weights, library)
            } else {
                unsafe multiplyFloat(x, layer.weight, factor, rows, columns, sums, stride, weights)
                factor = 1
            }
            if !layer.adapters.isEmpty, factor != 1 {
                unsafe scale(sums, stride, rows.count, columns.count, by: factor)
                factor = 1
            }
            for (adapter, t) in zip(layer.adapters, reduced) {
                try unsafe add(adapter, t, rows, columns, to: sums, stride, weights)
            }
            if inPlace, layer.isPlain, factor == 1 { return }
            unsafe finish(
                layer, sums: sums, stride: stride, tokens: rows, columns: columns, factor: factor, to: output)
        }
    }

    /// Columns of the weight converted at a time: the block must stay in the second-level cache or near it.
    private static let convertedColumns = 4096

    // MARK: float32

    private func multiplyFloat(
        _ x: [ProductOperand], _ weight: WeightMatrix, _ factor: Float, _ rows: Range<Int>, _ columns: Range<Int>,
        _ sums: UnsafeMutablePointer<Float>, _ stride: Int, _ scratch: UnsafeMutableRawPointer
    ) {
        let size = weight.tensor.dtype.byteCount
        var start = 0
        var beta: Float = 0
        for block in x {
            var k = 0
            while k < block.width {
                let direct = !weight.needsConversion(toBFloat16: false)
                let depth = direct ? block.width : min(block.width - k, Self.convertedColumns)
                var w = unsafe (weight.pointer + (columns.lowerBound * weight.stride + start + k) * size)
                    .assumingMemoryBound(to: Float.self)
                var wStride = weight.stride
                if !direct {
                    let converted = unsafe scratch.assumingMemoryBound(to: Float.self)
                    for row in 0..<columns.count {
                        let from = ((columns.lowerBound + row) * weight.stride + start + k) * size
                        unsafe ck_to_float(
                            set, weight.pointer + from, weight.tensor.dtype.code, weight.held, converted + row * depth,
                            depth)
                    }
                    unsafe w = UnsafePointer(converted)
                    wStride = depth
                }
                if let data = unsafe block.view.rows.data {
                    let a = unsafe data.assumingMemoryBound(to: Float.self) + rows.lowerBound * block.stride + k
                    unsafe ck_sgemm_openblas(
                        rows.count, columns.count, depth, factor, a, block.stride, w, wStride, beta, sums, stride)
                    beta = 1
                }
                k += depth
            }
            start += block.width
        }
        if beta == 0 { unsafe clear(sums, stride, rows.count, columns.count) }
    }

    // MARK: bfloat16

    private func productShape(
        _ block: ProductOperand, _ weight: WeightMatrix, rows: Int, columns: Int, depth: Int, stride: Int,
        accumulates: Bool
    ) -> PrimitiveCache.Product {
        PrimitiveCache.Product(
            m: rows, n: columns, k: depth, xStride: block.stride,
            wStride: weight.needsConversion(toBFloat16: true) ? depth : weight.stride, yStride: stride,
            accumulates: accumulates)
    }

    /// The most scratch memory any primitive of the layer asks for.
    private func scratchForProducts(
        _ x: [ProductOperand], _ layer: LinearLayer, _ tiling: Tiling, _ inPlace: Bool
    ) throws(TensorError) -> Int {
        var most = 0
        let stride = inPlace ? layer.outputs : tiling.columns
        let rowCounts = Set([min(tiling.rows, layer.tokens), layer.tokens - (tiling.rowBlocks - 1) * tiling.rows])
        let columnCounts = Set([
            min(tiling.columns, layer.outputs), layer.outputs - (tiling.columnBlocks - 1) * tiling.columns,
        ])
        let converts = layer.weight.needsConversion(toBFloat16: true)
        for rows in rowCounts {
            for columns in columnCounts {
                var accumulates = false
                for block in x where block.width > 0 {
                    for depth in Self.depths(block.width, converts) {
                        let primitive = try primitives.product(
                            productShape(
                                block, layer.weight, rows: rows, columns: columns, depth: depth, stride: stride,
                                accumulates: accumulates))
                        most = max(most, primitive.scratchBytes)
                        accumulates = true
                    }
                }
            }
        }
        return most
    }

    /// The widths in which a block's columns are multiplied.
    private static func depths(_ width: Int, _ converts: Bool) -> [Int] {
        if !converts { return [width] }
        return stride(from: 0, to: width, by: convertedColumns).map { min(convertedColumns, width - $0) }
    }

    private func multiplyBFloat16(
        _ x: [ProductOperand], _ weight: WeightMatrix, _ rows: Range<Int>, _ columns: Range<Int>,
        _ sums: UnsafeMutablePointer<Float>, _ stride: Int, _ scratch: UnsafeMutableRawPointer,
        _ library: UnsafeMutableRawPointer
    ) throws(TensorError) {
        let size = weight.tensor.dtype.byteCount
        let converts = weight.needsConversion(toBFloat16: true)
        var start = 0
        var accumulates = false
        for block in x where block.width > 0 {
            var k = 0
            for depth in Self.depths(block.width, converts) {
                var w = unsafe weight.pointer + (columns.lowerBound * weight.stride + start + k) * size
                if converts {
                    let converted = unsafe scratch.assumingMemoryBound(to: UInt16.self)
                    for row in 0..<columns.count {
                        let from = ((columns.lowerBound + row) * weight.stride + start + k) * size
                        unsafe ck_to_bfloat16(
                            set, weight.pointer + from, weight.tensor.dtype.code, weight.held, converted + row * depth,
                            depth)
                    }
                    unsafe w = UnsafeRawPointer(converted)
                }
                let primitive = try primitives.product(
                    productShape(
                        block, weight, rows: rows.count, columns: columns.count, depth: depth, stride: stride,
                        accumulates: accumulates))
                if let data = unsafe block.view.rows.data {
                    try unsafe primitive.multiply(
                        data + (rows.lowerBound * block.stride + k) * 2, w, sums, scratch: library)
                }
                accumulates = true
                k += depth
            }
            start += block.width
        }
        if !accumulates { unsafe clear(sums, stride, rows.count, columns.count) }
    }

    // MARK: Adapters

    /// sums += factor · t · upᵀ where the adapter's rows meet the columns.
    private func add(
        _ adapter: LinearLayer.Adapter, _ t: Tensor, _ rows: Range<Int>, _ columns: Range<Int>,
        to sums: UnsafeMutablePointer<Float>, _ stride: Int, _ scratch: UnsafeMutableRawPointer
    ) throws(TensorError) {
        let overlap = adapter.rows.clamped(to: columns)
        let rank = adapter.down.rows
        guard !overlap.isEmpty, rank > 0, let reduced = try unsafe t.floatAddress("linear") else { return }
        defer { withExtendedLifetime(t) {} }
        let up = adapter.up
        let converted = unsafe scratch.assumingMemoryBound(to: Float.self)
        for row in 0..<overlap.count {
            let from = (overlap.lowerBound - adapter.rows.lowerBound + row) * up.stride * up.tensor.dtype.byteCount
            unsafe ck_to_float(set, up.pointer + from, up.tensor.dtype.code, -1, converted + row * rank, rank)
        }
        unsafe ck_sgemm_openblas(
            rows.count, overlap.count, rank, adapter.factor, reduced + rows.lowerBound * rank, rank, converted, rank, 1,
            sums + overlap.lowerBound - columns.lowerBound, stride)
    }

    private func clear(_ sums: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int) {
        for row in 0..<rows { unsafe (sums + row * stride).update(repeating: 0, count: columns) }
    }
}
