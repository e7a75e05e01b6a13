internal import Dispatch
internal import Glibc
internal import Tensors

extension Tensor {
    /// A new tensor whose rows are written by several threads: `body` gets a range of rows and exactly their elements.
    ///
    /// - Parameters:
    ///   - rows: into how many equal rows the shape is cut; rows are never divided.
    ///   - work: a rough number of elementary operations; little work is done on the calling thread.
    static func buildRows<Scalar: TensorScalar>(
        _ shape: Shape, of type: Scalar.Type, rows: Int, work: Int,
        _ body: @Sendable (Range<Int>, inout MutableSpan<Scalar>) -> Void
    ) throws -> Tensor {
        try unsafe buildBytes(shape, dtype: Scalar.dtype) { bytes throws(TensorError) in
            guard rows > 0, shape.count > 0 else { return }
            let rowLength = shape.count / rows
            let pieces = work < 1 << 16 ? 1 : min(rows, 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            // The ranges of different pieces do not overlap, so no two threads write to one element.
            nonisolated(unsafe) let elements = unsafe bytes.bindMemory(to: Scalar.self)
            @Sendable func run(_ piece: Int) {
                let range = piece * rows / pieces..<(piece + 1) * rows / pieces
                let part = unsafe elements[range.lowerBound * rowLength..<range.upperBound * rowLength]
                var span = unsafe MutableSpan(_unsafeElements: UnsafeMutableBufferPointer(rebasing: part))
                body(range, &span)
            }
            if pieces == 1 {
                run(0)
            } else {
                DispatchQueue.concurrentPerform(iterations: pieces) { run($0) }
            }
        }
    }
}
