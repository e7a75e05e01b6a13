internal import CKernels
internal import Tensors

/// x in the layout and type in which our own loops multiply it.
@safe private struct PackedOperand {
    fileprivate let job: ck_product
    /// What the job points into, and the packed panels.
    fileprivate let views: [RowView]
    fileprivate let panels: Tensor

    /// The product of this x and a matrix.
    func job(with weight: WeightMatrix) -> ck_product {
        var job = unsafe job
        unsafe job.weight = weight.pointer
        unsafe job.type = weight.tensor.dtype.code
        unsafe job.held = weight.held
        unsafe job.outputs = weight.rows
        unsafe job.weight_ld = weight.stride
        return unsafe job
    }
}

/// factor · t · upᵀ: a product added to the columns `rows` of a layer.
@safe private struct AdapterProduct {
    let rows: Range<Int>
    let job: ck_product
    let panels: UnsafeRawPointer
}

extension CPUBackend {
    /// The layer through our own loops: x is packed once, weights of any type are converted panel by panel while they
    /// are packed, and an adapter is one more product added to the same sums.
    func packedLinear(_ x: [Tensor], _ layer: LinearLayer, to output: ck_output) throws(TensorError) {
        // A packed x is a copy: of whole pictures, which have a million rows, it is made piece by piece.
        let most = max(4096, Self.packedBytes / (4 * max(layer.inputs, 1)) / 1024 * 1024)
        if layer.tokens <= most { return try unsafe packedLinear(x, layer, from: 0, to: output) }
        let flat = try x.map { block throws(TensorError) in
            try contiguous(block).reshaped([layer.tokens, block.shape.last])
        }
        for first in stride(from: 0, to: layer.tokens, by: most) {
            let rows = first..<min(first + most, layer.tokens)
            var part = layer
            part.tokens = rows.count
            let blocks = try flat.map { block throws(TensorError) in try block.slice(axis: 0, rows) }
            try unsafe packedLinear(blocks, part, from: first, to: output)
        }
    }

    private static var packedBytes: Int { 256 << 20 }

    /// Rows of the layer from `first` on, which are all of x.
    private func packedLinear(
        _ x: [Tensor], _ layer: LinearLayer, from first: Int, to output: ck_output
    ) throws(TensorError) {
        let operand = try pack(x, tokens: layer.tokens, inputs: layer.inputs)
        // factor · t = factor · x · downᵀ of every adapter.
        var reduced: [PackedOperand] = []
        for adapter in layer.adapters {
            let plain = LinearLayer(x: layer, plain: adapter.down, factor: adapter.factor)
            let t = try unsafe Tensor.buildBytes(plain.shape, dtype: .float32) { out throws(TensorError) in
                guard plain.outputs > 0 else { return }
                try unsafe multiply(
                    operand, plain, [], from: 0, to: ck_output(data: out.baseAddress, type: DType.float32.code))
            }
            reduced.append(try pack([t], tokens: layer.tokens, inputs: plain.outputs))
        }
        try unsafe multiply(operand, layer, reduced, from: first, to: output)
    }

    private func pack(_ x: [Tensor], tokens: Int, inputs: Int) throws(TensorError) -> PackedOperand {
        // More blocks than the kernel knows are joined first; no model has them.
        let blocks = x.count <= Int(ck_largest_block_count) ? x : [try concatenate(x, axis: x[0].shape.rank - 1)]
        let views = try blocks.map { block throws(TensorError) in try rows(block, "linear") }
        var job = unsafe ck_product()
        unsafe withUnsafeMutableBytes(of: &job.x) { bytes in
            let slots = unsafe bytes.bindMemory(to: ck_rows.self)
            for (index, view) in views.enumerated() { unsafe slots[index] = view.rows }
        }
        unsafe withUnsafeMutableBytes(of: &job.widths) { bytes in
            let slots = unsafe bytes.bindMemory(to: Int.self)
            for (index, view) in views.enumerated() { unsafe slots[index] = view.width }
        }
        unsafe job.blocks = views.count
        unsafe job.rows = tokens
        unsafe job.inputs = inputs
        let groupRows = unsafe ck_product_rows(set, &job)
        let byteCount = unsafe ck_product_packed_bytes(set, &job)
        defer { withExtendedLifetime(views) {} }
        let panels = try unsafe Tensor.buildBytes([byteCount], dtype: .uint8) { out throws(TensorError) in
            guard let base = out.baseAddress else { return }
            unsafe withUnsafePointer(to: &job) { job in
                pool.split((tokens + groupRows - 1) / groupRows, grain: 1) { range in
                    for group in range { unsafe ck_product_pack(set, job, group, base) }
                }
            }
        }
        return unsafe PackedOperand(job: job, views: views, panels: panels)
    }

    /// The rows of the layer's result from `first` on, block by block.
    private func multiply(
        _ x: PackedOperand, _ layer: LinearLayer, _ reduced: [PackedOperand], from first: Int, to output: ck_output
    ) throws(TensorError) {
        guard let outBase = unsafe output.data else { return }
        let inPlace = unsafe layer.isFinished(output.type)
        var job = unsafe x.job(with: layer.weight)
        let tiling = unsafe PackedTiling(
            tokens: layer.tokens, outputs: layer.outputs, threads: pool.threads,
            tileRows: ck_product_rows(set, &job), tileColumns: ck_product_columns(set, &job),
            mostColumns: ck_product_task_columns(set, &job))
        let libraryBytes = unsafe (ck_product_scratch_bytes(set, &job) + 63) / 64 * 64
        let sumBytes = inPlace ? 0 : tiling.rows * tiling.columns * 4
        let scratch = try WorkerScratch(workers: pool.threads, byteCount: libraryBytes + sumBytes)
        let panels = try unsafe x.panels.hostAddress("linear")
        var adapters: [AdapterProduct] = []
        for (adapter, t) in zip(layer.adapters, reduced) {
            guard let panels = try unsafe t.panels.hostAddress("linear") else { continue }
            adapters.append(
                unsafe AdapterProduct(rows: adapter.rows, job: t.job(with: adapter.up), panels: panels))
        }
        defer { withExtendedLifetime((x, layer, reduced)) {} }
        unsafe withUnsafePointer(to: &job) { job in
            pool.run(tiling.count) { worker, task in
                guard let memory = unsafe scratch.memory(of: worker) else { return }
                let (rows, columns) = tiling.block(task)
                let stride = inPlace ? layer.outputs : tiling.columns
                let sums =
                    unsafe inPlace
                    ? outBase.assumingMemoryBound(to: Float.self) + (first + rows.lowerBound) * stride
                        + columns.lowerBound
                    : (memory + libraryBytes).assumingMemoryBound(to: Float.self)
                unsafe ck_product_run(
                    set, job, panels ?? UnsafeRawPointer(memory), columns.lowerBound, columns.count, rows.lowerBound,
                    rows.count, sums, stride, 0, memory)
                var factor = layer.factor
                if !adapters.isEmpty, factor != 1 {
                    unsafe scale(sums, stride, rows.count, columns.count, by: factor)
                    factor = 1
                }
                for adapter in adapters {
                    let overlap = adapter.rows.clamped(to: columns)
                    if overlap.isEmpty { continue }
                    unsafe withUnsafePointer(to: adapter.job) { job in
                        unsafe ck_product_run(
                            set, job, adapter.panels, overlap.lowerBound - adapter.rows.lowerBound, overlap.count,
                            rows.lowerBound, rows.count, sums + overlap.lowerBound - columns.lowerBound, stride, 1,
                            memory)
                    }
                }
                if inPlace { return }
                unsafe finish(
                    layer, sums: sums, stride: stride, tokens: first + rows.lowerBound..<first + rows.upperBound,
                    columns: columns, factor: factor, to: output)
            }
        }
    }

    /// sums · factor, for what must be scaled before adapters are added.
    func scale(
        _ sums: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, by factor: Float
    ) {
        for row in 0..<rows {
            for column in 0..<columns { unsafe sums[row * stride + column] *= factor }
        }
    }
}

/// How the result of a packed product is cut into tasks.
private struct PackedTiling {
    let tokens: Int
    let outputs: Int
    let rows: Int
    let columns: Int
    let rowBlocks: Int

    var count: Int { rowBlocks * ((outputs + columns - 1) / columns) }

    /// All rows and as many columns as the loops like; fewer columns, then fewer rows, when that leaves threads
    /// without work. Blocks of sums are kept small enough to stay in the cache until the epilogue.
    init(tokens: Int, outputs: Int, threads: Int, tileRows: Int, tileColumns: Int, mostColumns: Int) {
        var columns = min(mostColumns, (outputs + tileColumns - 1) / tileColumns * tileColumns)
        var blocks = max(1, (tokens + 2047) / 2048)
        func rows() -> Int { ((tokens + blocks - 1) / blocks + tileRows - 1) / tileRows * tileRows }
        func tasks() -> Int { ((outputs + columns - 1) / columns) * ((tokens + rows() - 1) / rows()) }
        let wanted = threads == 1 ? 1 : 4 * threads
        while tasks() < wanted, columns > tileColumns {
            columns = max(tileColumns, columns / 2 / tileColumns * tileColumns)
        }
        while tasks() < wanted, rows() > 4 * tileRows { blocks *= 2 }
        self.tokens = tokens
        self.outputs = outputs
        self.columns = columns
        self.rows = rows()
        rowBlocks = (tokens + self.rows - 1) / self.rows
    }

    /// Rows and columns of a task; neighbours in order share their columns of the weight.
    func block(_ task: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let row = task % rowBlocks * rows
        let column = task / rowBlocks * columns
        return (row..<min(row + rows, tokens), column..<min(column + columns, outputs))
    }
}
