internal import CKernels
public import Tensors

extension CPUBackend {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try norm(
            x, weight: weight, bias: bias, epsilon: epsilon, modulation: modulation, rootMeanSquare: false,
            result: result, "layerNorm")
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor?, epsilon: Float, modulation: Modulation?, result: ResultType
    ) throws(TensorError) -> Tensor {
        try norm(
            x, weight: weight, bias: nil, epsilon: epsilon, modulation: modulation, rootMeanSquare: true,
            result: result, "rmsNorm")
    }

    private func norm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float, modulation: Modulation?, rootMeanSquare: Bool,
        result: ResultType, _ operation: StaticString
    ) throws(TensorError) -> Tensor {
        guard x.shape.rank >= 1 else {
            throw TensorError(.shapeMismatch, "\(operation): a scalar has no axis to be normalised over")
        }
        let view = try rows(x, operation)
        let width = view.width
        let weight = try vector(weight, count: width, "weight", operation)
        let bias = try vector(bias, count: width, "bias", operation)
        var scale: Tensor?
        var shift: Tensor?
        var batchRows = 0
        if let modulation {
            guard x.shape.rank >= 2 else {
                throw TensorError(.shapeMismatch, "\(operation): modulation needs a batch axis, found \(x.shape)")
            }
            let batch = x.shape[0]
            scale = try perItem(modulation.scale, batch: batch, width: width, "scale", operation)
            shift = try perItem(modulation.shift, batch: batch, width: width, "shift", operation)
            batchRows = batch == 0 ? 0 : view.count / batch
        }
        let type = type(of: result)
        defer { withExtendedLifetime((view, weight, bias, scale, shift)) {} }
        return try unsafe Tensor.buildBytes(x.shape, dtype: type) { out throws(TensorError) in
            var job = unsafe ck_norm(
                x: view.rows, width: width, weight: try weight?.floatAddress(operation),
                bias: try bias?.floatAddress(operation), scale: try scale?.floatAddress(operation),
                shift: try shift?.floatAddress(operation), batch_rows: batchRows, epsilon: epsilon,
                root_mean_square: rootMeanSquare ? 1 : 0, out: ck_output(data: out.baseAddress, type: type.code))
            unsafe withUnsafePointer(to: &job) { job in
                pool.split(view.count, grain: rowGrain(width)) { range in
                    unsafe ck_norm_rows(set, job, range.lowerBound, range.upperBound)
                }
            }
        }
    }

    /// Rows that make a piece of work worth handing to a thread.
    func rowGrain(_ width: Int) -> Int { max(1, 16384 / max(width, 1)) }

    public func joinHeads(
        _ parts: [HeadPart], heads: Int, epsilon: Float, rotary: RotaryTable?
    ) throws(TensorError) -> Tensor {
        guard let first = parts.first, first.tokens.shape.rank == 3 else {
            throw TensorError(
                .shapeMismatch,
                "joinHeads: expected at least one part [batch, tokens, width], found \(parts.map(\.tokens.shape))")
        }
        let batch = first.tokens.shape[0]
        let width = first.tokens.shape[2]
        guard heads > 0, width % heads == 0, width / heads <= Self.widestHead else {
            throw TensorError(
                .shapeMismatch,
                "joinHeads: a width of \(width) cannot be cut into \(heads) heads of at most \(Self.widestHead)")
        }
        let headWidth = width / heads
        var total = 0
        for part in parts {
            let shape = part.tokens.shape
            guard shape.rank == 3, shape[0] == batch, shape[2] == width else {
                throw TensorError(
                    .shapeMismatch, "joinHeads: parts \(first.tokens.shape) and \(shape) differ in more than tokens")
            }
            total += shape[1]
        }
        var cosine: Tensor?
        var sine: Tensor?
        if let rotary {
            let expected: Shape = [total, headWidth / 2]
            guard headWidth % 2 == 0, rotary.cosine.shape == expected, rotary.sine.shape == expected else {
                throw TensorError(
                    .shapeMismatch,
                    "joinHeads: rotary tables \(rotary.cosine.shape) and \(rotary.sine.shape), expected \(expected) "
                        + "for \(total) tokens and heads of \(headWidth)")
            }
            cosine = try rotary.cosine.asFloat32()
            sine = try rotary.sine.asFloat32()
        }
        let type = computeType
        defer { withExtendedLifetime((cosine, sine)) {} }
        return try unsafe Tensor.buildBytes([batch, total, width], dtype: type) { out throws(TensorError) in
            var start = 0
            for part in parts {
                let view = try rows(part.tokens, "joinHeads")
                let norm = try vector(part.norm, count: headWidth, "norm scale", "joinHeads")
                defer { withExtendedLifetime((view, norm)) {} }
                let tokens = part.tokens.shape[1]
                var job = unsafe ck_heads(
                    x: view.rows, heads: heads, width: headWidth, norm: try norm?.floatAddress("joinHeads"),
                    epsilon: epsilon, cosine: try cosine?.floatAddress("joinHeads"),
                    sine: try sine?.floatAddress("joinHeads"), halves: rotary?.pairing == .halves ? 1 : 0,
                    first_token: start, part_tokens: max(tokens, 1), result_tokens: total,
                    out: ck_output(data: out.baseAddress, type: type.code))
                unsafe withUnsafePointer(to: &job) { job in
                    pool.split(view.count, grain: rowGrain(width)) { range in
                        unsafe ck_join_heads(set, job, range.lowerBound, range.upperBound)
                    }
                }
                start += tokens
            }
        }
    }

    /// Components of a head that the kernels keep on the stack.
    static let widestHead = 1024
}
