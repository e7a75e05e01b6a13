import Glibc
import Synchronization
import Tensors

/// Memory that is only counted: pages of zeros that the system keeps once for all. What reads it sees zeros.
@safe final class PhantomStorage: Storage {
    // Safe to share: nobody writes to it, the pages are read-only.
    private nonisolated(unsafe) let base: UnsafeRawBufferPointer
    private let ledger: MemoryLedger

    /// - Throws: ``TensorError/Code/outOfMemory`` when the machine has no room for the addresses.
    init(byteCount: Int, ledger: MemoryLedger) throws(TensorError) {
        let size = max(byteCount, 1)
        guard byteCount >= 0, byteCount < 1 << 46 else {
            throw TensorError(.outOfMemory, "a tensor of \(byteCount) bytes cannot be planned")
        }
        let mapped = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw TensorError(.outOfMemory, "no room to plan a tensor of \(byteCount) bytes")
        }
        unsafe base = unsafe UnsafeRawBufferPointer(start: mapped, count: byteCount)
        self.ledger = ledger
        ledger.took(byteCount)
    }

    deinit {
        ledger.gave(unsafe base.count)
        if let start = unsafe base.baseAddress {
            unsafe _ = munmap(UnsafeMutableRawPointer(mutating: start), max(base.count, 1))
        }
    }

    var byteCount: Int { unsafe base.count }
    var hostBytes: UnsafeRawBufferPointer? { unsafe base }
}

/// How much memory tensors would take: those that are only counted and those of the host, which are real.
final class MemoryLedger: Sendable {
    private struct State {
        var live = 0
        var peak = 0
    }
    private let state = Mutex(State())
    /// What the process held before.
    private let before = HostMemory.statistics.live

    func took(_ bytes: Int) {
        let host = HostMemory.statistics.live - before
        state.withLock {
            $0.live += bytes
            $0.peak = max($0.peak, $0.live + max(0, host))
        }
    }

    func gave(_ bytes: Int) { state.withLock { $0.live -= bytes } }

    /// The most since the last time this was asked.
    func takePeak() -> Int {
        let host = HostMemory.statistics.live - before
        return state.withLock { state in
            defer { state.peak = state.live + max(0, host) }
            return max(state.peak, state.live + max(0, host))
        }
    }
}
