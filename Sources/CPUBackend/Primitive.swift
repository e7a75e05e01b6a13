internal import CKernels
internal import Synchronization
internal import Tensors

/// A compiled oneDNN operation.
@safe final class Primitive: Sendable {
    // Safe to share: oneDNN primitives are immutable and are run with scratch memory of the caller.
    private nonisolated(unsafe) let handle: OpaquePointer
    let scratchBytes: Int

    init(adopting handle: OpaquePointer) {
        unsafe self.handle = unsafe handle
        scratchBytes = unsafe ck_primitive_scratch_bytes(handle)
    }
    deinit { unsafe ck_primitive_destroy(handle) }

    /// oneDNN's name for the chosen code.
    var implementation: String { unsafe String(cString: ck_primitive_implementation(handle)) }

    /// y (+)= x wᵀ.
    func multiply(
        _ x: UnsafeRawPointer, _ w: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer?
    ) throws(TensorError) {
        try check(unsafe ck_matmul_run(handle, x, w, y, scratch), "matrix product")
    }

    /// Bytes of a convolution kernel in the layout this primitive wants.
    var kernelBytes: Int { unsafe ck_convolution_kernel_bytes(handle) }

    func wantsSameKernel(as other: Primitive) -> Bool { unsafe ck_convolution_same_kernel(handle, other.handle) != 0 }

    func packKernel(
        _ kernel: UnsafePointer<Float>, into packed: UnsafeMutableRawPointer
    ) throws(TensorError) {
        try check(unsafe ck_convolution_pack_kernel(handle, kernel, packed), "reordering of a convolution kernel")
    }

    func convolve(
        _ x: UnsafeRawPointer, _ kernel: UnsafeRawPointer, _ bias: UnsafePointer<Float>?,
        _ y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer?
    ) throws(TensorError) {
        try check(unsafe ck_convolution_run(handle, x, kernel, bias, y, scratch), "convolution")
    }

    private func check(_ status: Int32, _ what: StaticString) throws(TensorError) {
        if status == 0 { return }
        throw TensorError(.unsupported, "\(what) (\(implementation)) failed in oneDNN: \(Self.reason(status))")
    }

    static func reason(_ status: Int32) -> String { unsafe String(cString: ck_status_name(status)) }
}

/// Compiled operations by shape: compiling one takes milliseconds.
final class PrimitiveCache: Sendable {
    struct Product: Hashable {
        var m: Int
        var n: Int
        var k: Int
        var xStride: Int
        var wStride: Int
        var yStride: Int
        var accumulates: Bool
    }
    struct Convolution: Hashable {
        var height: Int
        var width: Int
        var inputs: Int
        var outHeight: Int
        var outWidth: Int
        var outputs: Int
        var kernelHeight: Int
        var kernelWidth: Int
        var stride: Int
        var padding: EdgePadding
        var hasBias: Bool
        /// Whether source and kernel are bfloat16.
        var bfloat16: Bool
    }
    private enum Key: Hashable {
        case product(Product)
        case convolution(Convolution)
    }

    /// One for the process: primitives depend on nothing but their shapes.
    static let shared = PrimitiveCache()

    /// More shapes than a run with a handful of picture sizes needs; beyond it the cache starts afresh.
    private static let capacity = 1024
    private let primitives = Mutex<[Key: Primitive]>([:])

    func product(_ shape: Product) throws(TensorError) -> Primitive {
        try unsafe find(.product(shape), "a bfloat16 product of \(shape.m) × \(shape.k) and \(shape.k) × \(shape.n)") {
            out in
            unsafe ck_matmul_create(
                Int64(shape.m), Int64(shape.n), Int64(shape.k), Int64(shape.xStride), Int64(shape.wStride),
                Int64(shape.yStride), shape.accumulates ? 1 : 0, &out)
        }
    }

    func convolution(_ shape: Convolution) throws(TensorError) -> Primitive {
        try unsafe find(
            .convolution(shape),
            "a convolution of [\(shape.height), \(shape.width), \(shape.inputs)] with \(shape.outputs) kernels of "
                + "\(shape.kernelHeight) × \(shape.kernelWidth)"
        ) { out in
            var description = ck_convolution_shape(
                height: Int64(shape.height), width: Int64(shape.width), inputs: Int64(shape.inputs),
                out_height: Int64(shape.outHeight), out_width: Int64(shape.outWidth), outputs: Int64(shape.outputs),
                kernel_height: Int64(shape.kernelHeight), kernel_width: Int64(shape.kernelWidth),
                stride: Int64(shape.stride), top: Int64(shape.padding.top), left: Int64(shape.padding.left),
                bottom: Int64(shape.padding.bottom), right: Int64(shape.padding.right),
                has_bias: shape.hasBias ? 1 : 0, bfloat16: shape.bfloat16 ? 1 : 0)
            return unsafe ck_convolution_create(&description, &out)
        }
    }

    private func find(
        _ key: Key, _ what: @autoclosure () -> String, _ create: (inout OpaquePointer?) -> Int32
    ) throws(TensorError) -> Primitive {
        if let known = primitives.withLock({ $0[key] }) { return known }
        // Compiled outside the lock: two threads may do the same work once, none waits for another's shape.
        var handle: OpaquePointer?
        let status = unsafe create(&handle)
        guard status == 0, let handle = unsafe handle else {
            throw TensorError(.unsupported, "oneDNN cannot compile \(what()): \(Primitive.reason(status))")
        }
        let made = unsafe Primitive(adopting: handle)
        primitives.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[key] = made
        }
        return made
    }
}
