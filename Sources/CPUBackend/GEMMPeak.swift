internal import CKernels
internal import Glibc
public import Tensors

extension CPUBackend {
    /// The rate of the fastest matrix product this machine does in the type, all threads busy: GFLOP/s.
    ///
    /// Every thread multiplies operands of its own (1,024 × 1,024 × 3,072, from and to memory that is its alone) for
    /// about `seconds`; the best round counts. Float32 takes the better of OpenBLAS and oneDNN, bfloat16 is oneDNN.
    ///
    /// - Parameter clock: what the time is measured with; processor time is for machines with other work to do.
    /// - Throws: ``TensorError/Code/unsupported`` when the machine has no bfloat16 products,
    ///   ``TensorError/Code/outOfMemory``.
    public static func measureGEMMPeak(
        precision: DType, threads: Int, seconds: Double, clock: MeasuringClock = .wall
    ) throws(TensorError) -> Double {
        let bfloat16 = precision == .bfloat16
        if bfloat16, !supportsBFloat16 {
            throw TensorError(.unsupported, "this machine has no bfloat16 products to measure")
        }
        let (m, n, k) = (1024, 1024, 3072)
        let pool = WorkerPool(threads: threads)
        let operandBytes = k * (bfloat16 ? 2 : 4)
        let primitive =
            bfloat16
            ? try PrimitiveCache.shared.product(
                .init(m: m, n: n, k: k, xStride: k, wStride: k, yStride: n, accumulates: false)) : nil
        let libraryBytes = ((primitive?.scratchBytes ?? 0) + 63) / 64 * 64
        let scratch = try WorkerScratch(
            workers: pool.threads, byteCount: libraryBytes + (m + n) * operandBytes + m * n * 4)
        for worker in 0..<pool.threads {
            guard let memory = unsafe scratch.memory(of: worker) else { return 0 }
            // Bytes that are an ordinary number in both types (about 0.0115).
            unsafe memory.initializeMemory(
                as: UInt8.self, repeating: 0x3c, count: libraryBytes + (m + n) * operandBytes + m * n * 4)
        }
        let operations = 2 * Double(m) * Double(n) * Double(k) * Double(pool.threads)
        let start = MeasuringClock.wall.seconds
        var best = Double.infinity
        var round = 0
        repeat {
            // Float32 rounds alternate between the libraries.
            let useBLAS = round % 2 == 0
            round += 1
            let before = clock.seconds
            try pool.run(pool.threads) { _, task throws(TensorError) in
                guard let memory = unsafe scratch.memory(of: task) else { return }
                let x = unsafe memory + libraryBytes
                let w = unsafe x + m * operandBytes
                let y = unsafe (w + n * operandBytes).assumingMemoryBound(to: Float.self)
                if let primitive {
                    try unsafe primitive.multiply(x, w, y, scratch: memory)
                    return
                }
                let (a, b) = unsafe (x.assumingMemoryBound(to: Float.self), w.assumingMemoryBound(to: Float.self))
                if useBLAS {
                    unsafe ck_sgemm_openblas(m, n, k, 1, a, k, b, k, 0, y, n)
                } else {
                    _ = unsafe ck_sgemm_dnnl(m, n, k, 1, a, k, b, k, 0, y, n)
                }
            }
            best = min(best, (clock.seconds - before) / (clock == .processor ? Double(pool.threads) : 1))
        } while MeasuringClock.wall.seconds - start < seconds || round < 4
        return operations / best * 1e-9
    }
}

/// What a measurement counts.
public enum MeasuringClock: Sendable {
    /// Time that passes.
    case wall
    /// Time that the threads of the process spent on a processor, all together: does not see other programs.
    case processor

    /// Seconds since some fixed moment.
    public var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(self == .wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
