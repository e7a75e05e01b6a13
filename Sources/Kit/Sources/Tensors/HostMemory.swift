internal import Glibc
internal import Synchronization

/// Allocation of tensor memory: large blocks are kept and reused, since fresh pages cost a fault each
/// (110 MB per transformer block otherwise) while small ones are left to malloc.
public enum HostMemory {
    private static let largeBlock = 1 << 20
    private static let granule = 1 << 20

    private struct Free {
        // Addresses of free blocks by size: as numbers, since pointers are not Sendable.
        var blocks: [Int: [Int]] = [:]
        var cached = 0
        var live = 0
        var peak = 0
    }
    private static let free = Mutex(Free())
    private static let cacheLimitBits = Atomic<Int>(512 << 20)

    /// Bytes of freed blocks kept for reuse.
    public static var cacheLimit: Int {
        get { cacheLimitBits.load(ordering: .relaxed) }
        set { cacheLimitBits.store(newValue, ordering: .relaxed) }
    }

    /// Bytes in large blocks now in use, and the most that ever were.
    public static var statistics: (live: Int, peak: Int) { free.withLock { ($0.live, $0.peak) } }

    static func rounded(_ byteCount: Int) -> Int { (byteCount + granule - 1) / granule * granule }

    static func allocate(_ byteCount: Int) throws(TensorError) -> UnsafeMutableRawBufferPointer {
        guard byteCount >= 0, byteCount < 1 << 46 else {
            throw TensorError(.outOfMemory, "a tensor of \(byteCount) bytes cannot be allocated")
        }
        if byteCount < largeBlock {
            guard let memory = unsafe aligned_alloc(64, (max(byteCount, 1) + 127) / 64 * 64) else {
                throw TensorError(.outOfMemory, "out of memory: a tensor of \(byteCount) bytes could not be allocated")
            }
            return unsafe UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
        }
        let size = rounded(byteCount)
        let reused = free.withLock { state -> Int? in
            state.live += size
            state.peak = max(state.peak, state.live)
            guard let block = state.blocks[size]?.popLast() else { return nil }
            if state.blocks[size]?.isEmpty == true { state.blocks[size] = nil }
            state.cached -= size
            return block
        }
        if let reused, let block = unsafe UnsafeMutableRawPointer(bitPattern: reused) {
            return unsafe UnsafeMutableRawBufferPointer(start: block, count: byteCount)
        }
        giveBack()
        let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        if let mapped = unsafe mapped, unsafe mapped != MAP_FAILED {
            return unsafe UnsafeMutableRawBufferPointer(start: mapped, count: byteCount)
        }
        free.withLock { $0.live -= size }
        throw TensorError(.outOfMemory, "out of memory: a tensor of \(byteCount >> 20) MiB could not be allocated")
    }

    static func release(_ memory: UnsafeMutableRawBufferPointer) {
        guard let base = memory.baseAddress else { return }
        if memory.count < largeBlock {
            unsafe Glibc.free(base)
            return
        }
        let size = rounded(memory.count)
        let limit = cacheLimit
        let address = Int(bitPattern: base)
        let keep = free.withLock { state -> Bool in
            state.live -= size
            guard state.cached + size <= limit else { return false }
            state.cached += size
            state.blocks[size, default: []].append(address)
            return true
        }
        if !keep { unsafe munmap(base, size) }
    }

    /// Makes room for a fresh block: what is in use and what is cached together shall not exceed the most that was ever
    /// in use at once, so that the cache costs no memory that the process would not need anyway.
    private static func giveBack() {
        while true {
            let block = free.withLock { state -> (size: Int, address: Int)? in
                guard state.live + state.cached > state.peak, let size = state.blocks.keys.max(),
                    let address = state.blocks[size]?.popLast()
                else { return nil }
                if state.blocks[size]?.isEmpty == true { state.blocks[size] = nil }
                state.cached -= size
                return (size, address)
            }
            guard let block else { return }
            unsafe munmap(UnsafeMutableRawPointer(bitPattern: block.address), block.size)
        }
    }

    /// Gives all cached blocks back to the system.
    public static func trim() {
        let blocks = free.withLock { state in
            let all = state.blocks
            state.blocks = [:]
            state.cached = 0
            return all
        }
        for (size, addresses) in blocks {
            for address in addresses { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), size) }
        }
    }
}
