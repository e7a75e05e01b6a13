/// The memory behind one or several tensors. Immutable once a tensor refers to it.
public protocol Storage: AnyObject, Sendable {
    /// Size in bytes.
    var byteCount: Int { get }
    /// The bytes, when the host can read them directly; `nil` for device memory.
    var hostBytes: UnsafeRawBufferPointer? { get }
}

/// Host memory while it is being written: one owner, freed or frozen exactly once.
@safe public struct HostBuffer: ~Copyable {
    @usableFromInline let base: UnsafeMutableRawBufferPointer

    /// Uninitialised memory, aligned to 64 bytes.
    ///
    /// - Throws: ``TensorError/Code/outOfMemory`` when the size is negative or cannot be allocated.
    public init(byteCount: Int) throws(TensorError) {
        unsafe base = try HostMemory.allocate(byteCount)
    }

    deinit { unsafe HostMemory.release(base) }

    /// The whole buffer, for writing through a C kernel.
    public var mutableBytes: UnsafeMutableRawBufferPointer { unsafe base }

    /// Ends writing; the memory becomes shareable.
    public consuming func freeze() -> HostStorage {
        let memory = unsafe base
        discard self
        return unsafe HostStorage(adopting: memory)
    }
}

/// Host memory that nobody writes to any more.
@safe public final class HostStorage: Storage {
    // Safe to share: written only by `HostBuffer`, before this object exists.
    private nonisolated(unsafe) let base: UnsafeMutableRawBufferPointer

    fileprivate init(adopting base: UnsafeMutableRawBufferPointer) { unsafe self.base = unsafe base }
    deinit { unsafe HostMemory.release(base) }

    public var byteCount: Int { unsafe base.count }
    public var hostBytes: UnsafeRawBufferPointer? { unsafe UnsafeRawBufferPointer(base) }
}
