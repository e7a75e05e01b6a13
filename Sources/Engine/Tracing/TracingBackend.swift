import JSON
import Tensors

/// Passes everything on and writes down how long it took. Only in use with `--trace`.
struct TracingBackend: NodeScopedBackend {
    private let inner: any Backend
    private let trace: RunTrace
    private let node: String?

    init(_ inner: any Backend, _ trace: RunTrace, node: String?) {
        self.inner = inner
        self.trace = trace
        self.node = node
    }

    func scoped(to node: String) -> any Backend { TracingBackend(inner, trace, node: node) }

    var name: String { inner.name }
    var computeType: DType { inner.computeType }

    /// Measures one operation.
    ///
    /// - Parameters:
    ///   - operands: by name.
    ///   - work: floating-point operations, given the result; 0 for operations that are bound by memory.
    private func timed(
        _ name: String, _ operands: [(String, Tensor?)], work: (Tensor) -> Double = { _ in 0 },
        _ body: () throws(TensorError) -> Tensor
    ) throws(TensorError) -> Tensor {
        let start = trace.now()
        do {
            let result = try body()
            let nanoseconds = Double(max(trace.now() - start, 1))
            trace.operation(
                name, in: node, from: start,
                arguments: Self.arguments(operands + [("result", result)], work(result), nanoseconds))
            return result
        } catch {
            let message = JSON.string(error.message).text(.compact)
            trace.operation(name, in: node, from: start, arguments: "{\"error\":\(message)}")
            throw error
        }
    }

    private static func arguments(_ operands: [(String, Tensor?)], _ work: Double, _ nanoseconds: Double) -> String {
        var members: [String] = []
        for case (let name, let tensor?) in operands {
            members.append("\"\(name)\":\"\(tensor.dtype.rawValue) \(tensor.shape)\"")
        }
        if work > 0 {
            members.append("\"GFLOP\":\(rounded(work / 1e9))")
            members.append("\"GFLOP/s\":\(rounded(work / nanoseconds))")
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// Six decimals: JSON has no infinity, and nobody reads more.
    private static func rounded(_ value: Double) -> Double {
        value.isFinite ? (value * 1e6).rounded() / 1e6 : 0
    }

    // MARK: Operations

    func place(_ x: Tensor) throws(TensorError) -> Tensor {
        try timed("place", [("x", x)]) { () throws(TensorError) in try inner.place(x) }
    }

    func host(_ x: Tensor) throws(TensorError) -> Tensor {
        try timed("host", [("x", x)]) { () throws(TensorError) in try inner.host(x) }
    }

    func linear(_ x: [Tensor], _ weight: LinearWeight, _ epilogue: LinearEpilogue) throws(TensorError) -> Tensor {
        var operands: [(String, Tensor?)] = x.enumerated().map { ($0 == 0 ? "x" : "x\($0)", $1) }
        operands.append(("weight", weight.matrix))
        return try timed("linear", operands) { result in
            let rows = Double(result.count) / Double(max(weight.outputs, 1))
            var columns = Double(weight.inputs) * Double(weight.outputs)
            for adapter in weight.adapters { columns += Double(adapter.down.count) + Double(adapter.up.count) }
            return 2 * rows * columns
        } _: { () throws(TensorError) in
            try inner.linear(x, weight, epilogue)
        }
    }

    func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask, result: ResultType
    ) throws(TensorError) -> Tensor {
        try timed("attention", [("q", q), ("k", k), ("v", v)]) { _ in
            k.shape.rank == 3 ? 4 * Double(q.count) * Double(k.shape[1]) : 0
        } _: { () throws(TensorError) in
            try inner.attention(q, k, v, heads: heads, scale: scale, mask: mask, result: result)
        }
    }

    func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor {
        try timed("joinHeads", parts.enumerated().map { ("part\($0)", $1.tokens) }) { () throws(TensorError) in
            try inner.joinHeads(parts, heads: heads, epsilon: epsilon, rotary: rotary)
        }
    }

    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try timed("layerNorm", [("x", x)]) { () throws(TensorError) in
            try inner.layerNorm(
                x, weight: weight, bias: bias, epsilon: epsilon, modulation: modulation, result: result)
        }
    }

    func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try timed("rmsNorm", [("x", x)]) { () throws(TensorError) in
            try inner.rmsNorm(x, weight: weight, epsilon: epsilon, modulation: modulation, result: result)
        }
    }

    func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor {
        try timed("groupNorm", [("x", x)]) { () throws(TensorError) in
            try inner.groupNorm(
                x, groups: groups, weight: weight, bias: bias, epsilon: epsilon, activation: activation)
        }
    }

    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor {
        try timed("convolution", [("x", x), ("kernel", kernel)]) { result in
            2 * Double(result.count) * Double(kernel.count)
                / Double(max(kernel.shape.rank > 0 ? kernel.shape[0] : 1, 1))
        } _: { () throws(TensorError) in
            try inner.convolution(
                x, kernel: kernel, bias: bias, stride: stride, padding: padding, activation: activation)
        }
    }

    func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation,
        operands: ResultType
    ) throws(TensorError) -> Tensor {
        try timed("convolution", [("x", x), ("kernel", kernel)]) { result in
            2 * Double(result.count) * Double(kernel.count)
                / Double(max(kernel.shape.rank > 0 ? kernel.shape[0] : 1, 1))
        } _: { () throws(TensorError) in
            try inner.convolution(
                x, kernel: kernel, bias: bias, stride: stride, padding: padding, activation: activation,
                operands: operands)
        }
    }

    func resizeNearest(_ x: Tensor, height: Int, width: Int) throws(TensorError) -> Tensor {
        try timed("resizeNearest", [("x", x)]) { () throws(TensorError) in
            try inner.resizeNearest(x, height: height, width: width)
        }
    }

    func gather(_ table: Tensor, rows ids: [Int], heldAs: DType?) throws(TensorError) -> Tensor {
        try timed("gather", [("table", table)]) { () throws(TensorError) in
            try inner.gather(table, rows: ids, heldAs: heldAs)
        }
    }

    func add(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try timed("add", [("a", a), ("b", b)]) { () throws(TensorError) in try inner.add(a, b) }
    }

    func multiply(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try timed("multiply", [("a", a), ("b", b)]) { () throws(TensorError) in try inner.multiply(a, b) }
    }

    func activate(_ x: Tensor, _ activation: Activation, result: ResultType) throws(TensorError) -> Tensor {
        try timed("activate", [("x", x)]) { () throws(TensorError) in
            try inner.activate(x, activation, result: result)
        }
    }

    func parametricRelu(_ x: Tensor, slopes: Tensor) throws(TensorError) -> Tensor {
        try timed("parametricRelu", [("x", x)]) { () throws(TensorError) in
            try inner.parametricRelu(x, slopes: slopes)
        }
    }

    func gated(
        _ gate: Tensor, _ up: Tensor, _ activation: Activation, result: ResultType
    ) throws(TensorError) -> Tensor {
        try timed("gated", [("gate", gate), ("up", up)]) { () throws(TensorError) in
            try inner.gated(gate, up, activation, result: result)
        }
    }

    func concatenate(_ parts: [Tensor], axis: Int) throws(TensorError) -> Tensor {
        try timed("concatenate", parts.prefix(8).enumerated().map { ("part\($0)", $1) }) { () throws(TensorError) in
            try inner.concatenate(parts, axis: axis)
        }
    }

    func contiguous(_ x: Tensor) throws(TensorError) -> Tensor {
        try timed("contiguous", [("x", x)]) { () throws(TensorError) in try inner.contiguous(x) }
    }
}
