internal import CKernels
internal import Tensors

/// x wᵀ as a library computes it: both operands in the type of the products, or converted to it in blocks.
private struct LibraryProduct {
    /// The column blocks of x, rows at one distance.
    let x: [RowView]
    let weight: WeightMatrix
    /// Whether operands are bfloat16 (oneDNN) rather than float32 (OpenBLAS).
    let bfloat16: Bool

    var converts: Bool { weight.needsConversion(toBFloat16: bfloat16) }
    /// Columns of the weight converted at a time, and elements: the block must stay in the second-level cache or near it.
    static let convertedColumns = 16384
    static let convertedElements = 1 << 20

    /// The widths in which the columns of a block of x are multiplied.
    func depths(_ width: Int) -> [Int] {
        if !converts { return [width] }
        return stride(from: 0, to: width, by: Self.convertedColumns).map { min(Self.convertedColumns, width - $0) }
    }

    /// The shape of one call of oneDNN.
    func shape(
        _ block: RowView, rows: Int, columns: Int, depth: Int, stride: Int, accumulates: Bool
    ) -> PrimitiveCache.Product {
        PrimitiveCache.Product(
            m: rows, n: columns, k: depth, xStride: block.uniformStride ?? block.width,
            wStride: converts ? depth : weight.stride, yStride: stride, accumulates: accumulates)
    }
}

/// Where a task of a product finds memory.
@safe private struct TaskMemory {
    let sums: UnsafeMutablePointer<Float>
    /// Elements between rows of sums.
    let stride: Int
    /// For converted weights, and for the library itself.
    let weights: UnsafeMutableRawPointer
    let library: UnsafeMutableRawPointer
}

extension CPUBackend {
    /// The layer through OpenBLAS or oneDNN.
    func libraryLinear(_ x: [Tensor], _ layer: LinearLayer, to output: ck_output) throws(TensorError) {
        let operands = try x.map { block throws(TensorError) in try libraryOperand(block) }
        // factor · t = factor · x · downᵀ of every adapter, once.
        var reduced: [RowView] = []
        for adapter in layer.adapters {
            let plain = LinearLayer(x: layer, plain: adapter.down, factor: adapter.factor)
            let t = try unsafe Tensor.buildBytes(plain.shape, dtype: .float32) { out throws(TensorError) in
                try unsafe multiply(
                    operands, plain, [], to: ck_output(data: out.baseAddress, type: DType.float32.code))
            }
            reduced.append(try libraryOperand(t))
        }
        try unsafe multiply(operands, layer, reduced, to: output)
    }

    /// The block in the type of the products, rows at one distance: itself, or a copy.
    private func libraryOperand(_ x: Tensor) throws(TensorError) -> RowView {
        let type: DType = multipliesBFloat16 ? .bfloat16 : .float32
        let view = try rows(x, "linear")
        if view.tensor.dtype == type, view.uniformStride != nil { return view }
        defer { withExtendedLifetime(view) {} }
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
        return try rows(copy, "linear")
    }

    /// The whole layer, block by block; `reduced` are the adapters' factor · x · downᵀ.
    private func multiply(
        _ x: [RowView], _ layer: LinearLayer, _ reduced: [RowView], to output: ck_output
    ) throws(TensorError) {
        guard let outBase = unsafe output.data, layer.outputs > 0 else { return }
        let inPlace = unsafe layer.isFinished(output.type)
        let main = LibraryProduct(x: x, weight: layer.weight, bfloat16: multipliesBFloat16)
        let adapters = zip(layer.adapters, reduced).map { adapter, t in
            (adapter.rows, LibraryProduct(x: [t], weight: adapter.up, bfloat16: multipliesBFloat16))
        }
        // Converted weights are used for all tokens at once. Sums that are not the result itself should stay in the
        // cache until the epilogue has read them.
        let tiling = LibraryTiling(
            tokens: layer.tokens, outputs: layer.outputs, threads: pool.threads,
            maximumRows: main.converts || inPlace ? layer.tokens : 1024,
            maximumColumns: main.converts ? LibraryProduct.convertedElements / max(layer.inputs, 1) / 16 * 16 : 256)
        let stride = inPlace ? layer.outputs : tiling.columns
        let sumBytes = inPlace ? 0 : (tiling.rows * tiling.columns * 4 + 63) / 64 * 64
        let widest = max(
            min(layer.inputs, LibraryProduct.convertedColumns), adapters.map(\.1.weight.columns).max() ?? 0)
        let weightBytes = (tiling.columns * widest * 4 + 63) / 64 * 64
        var libraryBytes = try mostScratch(main, tiling, columns: 0..<layer.outputs, stride, accumulates: false)
        for (rows, product) in adapters {
            libraryBytes = max(libraryBytes, try mostScratch(product, tiling, columns: rows, stride, accumulates: true))
        }
        let scratch = try WorkerScratch(workers: pool.threads, byteCount: sumBytes + weightBytes + libraryBytes)
        defer { withExtendedLifetime((x, layer, reduced)) {} }
        try pool.run(tiling.count) { worker, task throws(TensorError) in
            guard let memory = unsafe scratch.memory(of: worker) else { return }
            let (rows, columns) = tiling.block(task)
            let whole = unsafe outBase.assumingMemoryBound(to: Float.self)
            let sums =
                unsafe inPlace
                ? whole + rows.lowerBound * stride + columns.lowerBound : memory.assumingMemoryBound(to: Float.self)
            let place = unsafe TaskMemory(
                sums: sums, stride: stride, weights: memory + sumBytes, library: memory + sumBytes + weightBytes)
            try multiply(main, rows, columns, accumulates: false, place)
            var factor = layer.factor
            if !adapters.isEmpty, factor != 1 {
                unsafe scale(sums, stride, rows.count, columns.count, by: factor)
                factor = 1
            }
            for (range, product) in adapters {
                let overlap = range.clamped(to: columns)
                if overlap.isEmpty { continue }
                let part = unsafe TaskMemory(
                    sums: sums + overlap.lowerBound - columns.lowerBound, stride: stride, weights: place.weights,
                    library: place.library)
                let first = overlap.lowerBound - range.lowerBound
                try multiply(product, rows, first..<first + overlap.count, accumulates: true, part)
            }
            if inPlace { return }
            unsafe finish(
                layer, sums: sums, stride: stride, tokens: rows, columns: columns, factor: factor, to: output)
        }
    }

    /// One block: sums (+)= x[rows] weight[columns]ᵀ.
    private func multiply(
        _ product: LibraryProduct, _ rows: Range<Int>, _ columns: Range<Int>, accumulates: Bool, _ memory: TaskMemory
    ) throws(TensorError) {
        let weight = product.weight
        let size = weight.tensor.dtype.byteCount
        let elementSize = product.bfloat16 ? 2 : 4
        var start = 0
        var accumulates = accumulates
        for block in product.x where block.width > 0 {
            guard let data = unsafe block.rows.data else { continue }
            var k = 0
            for depth in product.depths(block.width) {
                var w = unsafe weight.pointer + (columns.lowerBound * weight.stride + start + k) * size
                if product.converts {
                    unsafe convert(weight, columns, start + k, depth, product.bfloat16, to: memory.weights)
                    unsafe w = UnsafeRawPointer(memory.weights)
                }
                let from = unsafe data + (rows.lowerBound * (block.uniformStride ?? 0) + k) * elementSize
                let shape = product.shape(
                    block, rows: rows.count, columns: columns.count, depth: depth, stride: memory.stride,
                    accumulates: accumulates)
                if product.bfloat16 {
                    try unsafe primitives.product(shape).multiply(from, w, memory.sums, scratch: memory.library)
                } else {
                    unsafe ck_sgemm_openblas(
                        shape.m, shape.n, shape.k, 1, from.assumingMemoryBound(to: Float.self), shape.xStride,
                        w.assumingMemoryBound(to: Float.self), shape.wStride, accumulates ? 1 : 0, memory.sums,
                        shape.yStride)
                }
                accumulates = true
                k += depth
            }
            start += block.width
        }
        if accumulates { return }
        for row in 0..<rows.count {
            unsafe (memory.sums + row * memory.stride).update(repeating: 0, count: columns.count)
        }
    }

    /// Columns first..<first + depth of some rows of a weight in the type of the products.
    private func convert(
        _ weight: WeightMatrix, _ rows: Range<Int>, _ first: Int, _ depth: Int, _ bfloat16: Bool,
        to memory: UnsafeMutableRawPointer
    ) {
        let type = weight.tensor.dtype
        for row in 0..<rows.count {
            let from =
                unsafe weight.pointer
                + ((rows.lowerBound + row) * weight.stride + first) * type.byteCount
            if bfloat16 {
                let to = unsafe memory.assumingMemoryBound(to: UInt16.self) + row * depth
                unsafe ck_to_bfloat16(set, from, type.code, weight.held, to, depth)
            } else {
                let to = unsafe memory.assumingMemoryBound(to: Float.self) + row * depth
                unsafe ck_to_float(set, from, type.code, weight.held, to, depth)
            }
        }
    }

    /// The most scratch memory any call of oneDNN asks for; compiles them all.
    private func mostScratch(
        _ product: LibraryProduct, _ tiling: LibraryTiling, columns: Range<Int>, _ stride: Int, accumulates: Bool
    ) throws(TensorError) -> Int {
        if !product.bfloat16 { return 0 }
        let blocks = (0..<tiling.count).map(tiling.block)
        var most = 0
        for rows in Set(blocks.map(\.rows.count)) {
            for width in Set(blocks.map { $0.columns.clamped(to: columns).count }) where width > 0 {
                var accumulates = accumulates
                for block in product.x where block.width > 0 {
                    for depth in product.depths(block.width) {
                        let shape = product.shape(
                            block, rows: rows, columns: width, depth: depth, stride: stride, accumulates: accumulates)
                        most = max(most, try primitives.product(shape).scratchBytes)
                        accumulates = true
                    }
                }
            }
        }
        return most
    }
}

/// How the result of a library's product is cut into tasks.
private struct LibraryTiling {
    let tokens: Int
    let outputs: Int
    let rows: Int
    let columns: Int
    let rowBlocks: Int

    var count: Int { rowBlocks * ((outputs + columns - 1) / columns) }

    /// Blocks of about 256 columns; smaller ones, and blocks of rows, when that leaves threads without work.
    init(tokens: Int, outputs: Int, threads: Int, maximumRows: Int, maximumColumns: Int) {
        var columns = min(outputs, max(64, min(maximumColumns, 256)))
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
        self.tokens = tokens
        self.outputs = outputs
        self.rows = rows
        self.columns = columns
        rowBlocks = (tokens + rows - 1) / rows
    }

    /// Rows and columns of a task; neighbours in order share their columns of the weight.
    func block(_ task: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let row = task % rowBlocks * rows
        let column = task / rowBlocks * columns
        return (row..<min(row + rows, tokens), column..<min(column + columns, outputs))
    }
}
