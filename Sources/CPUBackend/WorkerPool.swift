internal import CKernels
internal import Dispatch
internal import Synchronization
internal import Tensors

/// The one place where the backend uses threads.
///
/// Our threads are outermost; OpenBLAS and oneDNN run single-threaded inside each. Tasks are handed out one by one, so
/// that a slow core takes fewer.
struct WorkerPool: Sendable {
    let threads: Int

    init(threads: Int) { self.threads = max(1, threads) }

    /// Calls `body(worker, task)` for every task; workers are numbered from 0 to below ``threads``.
    ///
    /// The first error stops the handing out and is thrown.
    func run<Failure: Error>(
        _ tasks: Int, _ body: (_ worker: Int, _ task: Int) throws(Failure) -> Void
    ) throws(Failure) {
        let workers = min(threads, tasks)
        if workers <= 1 {
            if tasks > 0 { ck_enter_worker() }
            for task in 0..<max(tasks, 0) { try body(0, task) }
            return
        }
        let failure = Mutex<Failure?>(nil)
        withoutActuallyEscaping(body) { body in
            // Workers share the closure only while this call waits for them.
            nonisolated(unsafe) let body = body
            let next = Atomic<Int>(0)
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                ck_enter_worker()
                while true {
                    let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    if task >= tasks { return }
                    do throws(Failure) {
                        try unsafe body(worker, task)
                    } catch {
                        failure.withLock { if $0 == nil { $0 = error } }
                        next.store(tasks, ordering: .relaxed)
                    }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Calls `body(range)` for pieces of `0..<count` of about `grain` elements.
    func split(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        if count <= 0 { return }
        // Enough pieces to even out cores of different speed, not so many that handing them out costs.
        let size = max(1, max(grain, (count + 8 * threads - 1) / (8 * threads)))
        run((count + size - 1) / size) { _, task in
            body(task * size..<min(count, (task + 1) * size))
        }
    }
}

/// Memory for the intermediate results of each worker during one operation.
struct WorkerScratch: ~Copyable {
    private let buffer: HostBuffer
    private let share: Int

    /// - Throws: ``TensorError/Code/outOfMemory``.
    init(workers: Int, byteCount: Int) throws(TensorError) {
        share = (byteCount + 4095) / 4096 * 4096
        buffer = try HostBuffer(byteCount: share * workers)
    }

    /// The worker's part, aligned to 64 bytes.
    func memory(of worker: Int) -> UnsafeMutableRawPointer? {
        unsafe buffer.mutableBytes.baseAddress.map { unsafe $0 + worker * share }
    }
}
