internal import CKernels
public import Tensors

extension CPUBackend {
    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor {
        try checkCancellation()
        guard q.shape.rank == 3, k.shape.rank == 3, v.shape == k.shape, k.shape[0] == q.shape[0],
            k.shape[2] == q.shape[2]
        else {
            throw TensorError(
                .shapeMismatch,
                "attention: q \(q.shape), k \(k.shape) and v \(v.shape), expected [batch, queries, width] and twice "
                    + "[batch, keys, width]")
        }
        let (batch, queries, width) = (q.shape[0], q.shape[1], q.shape[2])
        let keys = k.shape[1]
        guard heads > 0, width % heads == 0, width / heads <= Self.widestHead else {
            throw TensorError(
                .shapeMismatch,
                "attention: a width of \(width) cannot be cut into \(heads) heads of at most \(Self.widestHead)")
        }
        let (qView, kView, vView) = (try rows(q, "attention"), try rows(k, "attention"), try rows(v, "attention"))
        let additive = try additiveMask(mask, shape: [batch, heads, queries, keys])
        let type = type(of: result)
        defer { withExtendedLifetime((qView, kView, vView, additive)) {} }
        return try unsafe Tensor.buildBytes(q.shape, dtype: type) { out throws(TensorError) in
            if q.count == 0 { return }
            if keys == 0 {
                unsafe out.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            var job = unsafe ck_attention(
                q: qView.rows, k: kView.rows, v: vView.rows,
                batch: batch, heads: heads, width: width / heads, queries: queries, keys: keys, scale: scale,
                mask: mask.code, additive: try additive?.floatAddress("attention"),
                additive_batch: additive?.strides[0] ?? 0, additive_head: additive?.strides[1] ?? 0,
                additive_query: additive?.strides[2] ?? 0, out: ck_output(data: out.baseAddress, type: type.code),
                use_bfloat16: multipliesBFloat16 ? 1 : 0)
            try unsafe run(&job)
        }
    }

    /// Heads in groups: all their keys and values are packed, then all their query blocks are worked on.
    private func run(_ job: inout ck_attention) throws(TensorError) {
        let heads = unsafe job.batch * job.heads
        let panelBytes = unsafe (ck_attention_panel_bytes(set, &job) + 63) / 64 * 64
        let keyBlocks = unsafe ck_attention_key_blocks(set, &job)
        let queryBlocks = unsafe ck_attention_query_blocks(set, &job)
        // Panels of a group should stay in the last cache, but a group must give every thread something to do.
        let cacheBytes = 16 << 20
        let needed = (4 * pool.threads + queryBlocks - 1) / queryBlocks
        let group = min(heads, max(1, needed, cacheBytes / panelBytes))
        let panels = try HostBuffer(byteCount: group * panelBytes)
        let scratch = try WorkerScratch(
            workers: pool.threads, byteCount: unsafe ck_attention_scratch_bytes(set, &job))
        guard let panelBase = unsafe panels.mutableBytes.baseAddress else { return }
        unsafe withUnsafePointer(to: &job) { job in
            for first in stride(from: 0, to: heads, by: group) {
                let count = min(group, heads - first)
                pool.run(count * keyBlocks) { _, task in
                    let head = task / keyBlocks
                    unsafe ck_attention_pack(
                        set, job, first + head, task % keyBlocks, panelBase + head * panelBytes)
                }
                pool.run(count * queryBlocks) { worker, task in
                    let head = task / queryBlocks
                    guard let memory = unsafe scratch.memory(of: worker) else { return }
                    // The last blocks first: under a causal mask they see the most keys.
                    let block = queryBlocks - 1 - task % queryBlocks
                    unsafe ck_attention_run(
                        set, job, first + head, block, panelBase + head * panelBytes, memory)
                }
            }
        }
    }

    private func additiveMask(_ mask: AttentionMask, shape: Shape) throws(TensorError) -> Tensor? {
        guard case .additive(let given) = mask else { return nil }
        guard given.shape.rank == 4, given.shape[2] == shape[2], given.shape[3] == shape[3],
            given.shape[0] == 1 || given.shape[0] == shape[0], given.shape[1] == 1 || given.shape[1] == shape[1]
        else {
            throw TensorError(.shapeMismatch, "attention: the mask has the shape \(given.shape), expected \(shape)")
        }
        let neighbours = given.dtype == .float32 && (given.shape[3] <= 1 || given.strides[3] == 1)
        return try (neighbours ? given : given.asFloat32()).broadcast(to: shape)
    }
}

extension AttentionMask {
    fileprivate var code: Int32 {
        switch self {
        case .none: 0
        case .causal: 1
        case .additive: 2
        }
    }
}
