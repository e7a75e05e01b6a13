import CPUBackend
import Tensors
import Testing

/// Who stops a run does not wait for the end of a step.
@Suite struct CancellationTests {
    @Test func aCancelledTaskGetsNoMoreProducts() async throws {
        let backend = CPUBackend(precision: .float32, threads: 1)
        let tokens = try Tensor.full([1, 16, 8], 1)
        let picture = try Tensor.full([1, 4, 4, 2], 1)
        let kernel = try Tensor.full([3, 2, 1, 1], 1)
        let task = Task { () -> [TensorError.Code?] in
            while !Task.isCancelled { await Task.yield() }
            func code(_ work: () throws -> Tensor) -> TensorError.Code? {
                do {
                    _ = try work()
                    return nil
                } catch {
                    return (error as? TensorError)?.code
                }
            }
            return [
                code {
                    try backend.attention(
                        tokens, tokens, tokens, heads: 2, scale: 1, mask: .none, result: .full)
                },
                code {
                    try backend.convolution(
                        picture, kernel: kernel, bias: nil, stride: 1, padding: EdgePadding(0), activation: .identity)
                },
                // What takes no time goes on.
                code { try backend.add(tokens, tokens) },
            ]
        }
        task.cancel()
        #expect(await task.value == [.cancelled, .cancelled, nil])
    }
}
