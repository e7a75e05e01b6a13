internal import CKernels
internal import Glibc
public import Tensors

extension CPUBackend {
    public func groupNorm(
        _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation
    ) throws(TensorError) -> Tensor {
        guard x.shape.rank == 4, groups > 0, x.shape[3] % groups == 0 else {
            throw TensorError(
                .shapeMismatch,
                "groupNorm: \(x.shape) in \(groups) groups, expected [batch, height, width, a multiple of \(groups)]")
        }
        let x = try contiguous(x)
        let channels = x.shape[3]
        guard let weight = try vector(weight, count: channels, "weight", "groupNorm"),
            let bias = try vector(bias, count: channels, "bias", "groupNorm")
        else { return x }
        let pixels = x.shape[1] * x.shape[2]
        let batch = x.shape[0]
        defer { withExtendedLifetime((x, weight, bias)) {} }
        return try unsafe Tensor.buildBytes(x.shape, dtype: .float32) { out throws(TensorError) in
            guard let base = out.baseAddress, let input = try unsafe x.floatAddress("groupNorm") else { return }
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            let (scales, shifts) = (
                try unsafe weight.floatAddress("groupNorm"), try unsafe bias.floatAddress("groupNorm")
            )
            guard let scales = unsafe scales, let shifts = unsafe shifts else { return }
            let piece = max(32, (pixels + 8 * pool.threads - 1) / (8 * pool.threads))
            let pieces = (pixels + piece - 1) / piece
            // Per piece: means and summed squared deviations of every channel, then per item factors and offsets.
            let moments = try HostBuffer(byteCount: pieces * 2 * channels * 8)
            let scratch = try WorkerScratch(workers: pool.threads, byteCount: 2 * channels * 4)
            let affine = try HostBuffer(byteCount: 2 * channels * 4)
            guard let momentBase = unsafe moments.mutableBytes.baseAddress?.assumingMemoryBound(to: Double.self),
                let factors = unsafe affine.mutableBytes.baseAddress?.assumingMemoryBound(to: Float.self)
            else { return }
            for item in 0..<batch {
                let start = item * pixels * channels
                pool.run(pieces) { worker, task in
                    let first = task * piece
                    guard let memory = unsafe scratch.memory(of: worker) else { return }
                    let mean = unsafe momentBase + task * 2 * channels
                    unsafe ck_channel_moments(
                        set, input + start + first * channels, min(piece, pixels - first), channels, mean,
                        mean + channels, memory.assumingMemoryBound(to: Float.self))
                }
                for group in 0..<groups {
                    let range = group * channels / groups..<(group + 1) * channels / groups
                    var (count, mean, deviation) = (0.0, 0.0, 0.0)
                    for task in 0..<pieces {
                        let more = Double(min(piece, pixels - task * piece))
                        for channel in range {
                            let means = unsafe momentBase + task * 2 * channels
                            let difference = unsafe means[channel] - mean
                            let total = count + more
                            mean += difference * more / total
                            unsafe deviation +=
                                means[channels + channel] + difference * difference * count * more / total
                            count = total
                        }
                    }
                    let inverse = 1 / (deviation / count + Double(epsilon)).squareRoot()
                    for channel in range {
                        let factor = unsafe Double(scales[channel]) * inverse
                        unsafe factors[channel] = Float(factor)
                        unsafe factors[channels + channel] = Float(Double(shifts[channel]) - mean * factor)
                    }
                }
                pool.split(pixels, grain: rowGrain(channels)) { range in
                    let at = start + range.lowerBound * channels
                    unsafe ck_scale_channels(
                        set, input + at, range.count, channels, factors, factors + channels, activation.code,
                        result + at)
                }
            }
        }
    }

    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation
    ) throws(TensorError) -> Tensor {
        try convolution(
            x, kernel: kernel, bias: bias, stride: stride, padding: padding, activation: activation, operands: .full)
    }

    public func convolution(
        _ x: Tensor, kernel: Tensor, bias: Tensor?, stride: Int, padding: EdgePadding, activation: Activation,
        operands: ResultType
    ) throws(TensorError) -> Tensor {
        try checkCancellation()
        guard x.shape.rank == 4, kernel.shape.rank == 4, kernel.shape[1] == x.shape[3], stride > 0,
            min(padding.top, padding.left, padding.bottom, padding.right) >= 0
        else {
            throw TensorError(
                .shapeMismatch,
                "convolution: picture \(x.shape) and kernel \(kernel.shape) with stride \(stride), expected "
                    + "[batch, height, width, in] and [out, in, height, width]")
        }
        guard max(padding.top, padding.bottom) < max(kernel.shape[2], 1),
            max(padding.left, padding.right) < max(kernel.shape[3], 1)
        else {
            throw TensorError(
                .unsupported,
                "convolution: padding \(padding) is not smaller than the kernel \(kernel.shape[2]) × "
                    + "\(kernel.shape[3])")
        }
        let plan = ConvolutionPlan(x: x.shape, kernel: kernel.shape, stride: stride, padding: padding)
        guard plan.kernelHeight > 0, plan.kernelWidth > 0, plan.outHeight > 0, plan.outWidth > 0 else {
            throw TensorError(
                .shapeMismatch,
                "convolution: a kernel of \(kernel.shape[2]) × \(kernel.shape[3]) does not fit the padded picture "
                    + "\(x.shape)")
        }
        let bias = try vector(bias, count: plan.outputs, "bias", "convolution")
        let bfloat16 = operands == .compute && multipliesBFloat16
        let x = try bfloat16 ? rounded(x) : contiguous(x)
        if x.count == 0 || plan.outputs == 0 {
            let empty = x.shape[0] == 0 || plan.outputs == 0
            guard empty else {
                throw TensorError(.shapeMismatch, "convolution: the picture \(x.shape) has no channels")
            }
            return try Tensor.zeros([x.shape[0], plan.outHeight, plan.outWidth, plan.outputs])
        }
        defer { withExtendedLifetime((x, bias)) {} }
        return try unsafe Tensor.buildBytes(
            [x.shape[0], plan.outHeight, plan.outWidth, plan.outputs], dtype: .float32
        ) { out throws(TensorError) in
            guard let base = out.baseAddress, let input = try unsafe x.hostAddress("convolution") else { return }
            let offsets = try unsafe bias?.floatAddress("convolution")
            let result = unsafe base.assumingMemoryBound(to: Float.self)
            try unsafe convolve(
                plan, input, kernel.isContiguous ? kernel : kernel.asFloat32(), offsets, result, batch: x.shape[0],
                activation: activation, bfloat16: bfloat16)
        }
    }

    /// A contiguous bfloat16 copy.
    private func rounded(_ x: Tensor) throws(TensorError) -> Tensor {
        let view = try rows(x, "convolution")
        defer { withExtendedLifetime(view) {} }
        return try unsafe Tensor.buildBytes(x.shape, dtype: .bfloat16) { out throws(TensorError) in
            let output = unsafe ck_output(data: out.baseAddress, type: DType.bfloat16.code)
            unsafe withUnsafePointer(to: view.rows) { source in
                unsafe withUnsafePointer(to: output) { output in
                    pool.split(view.count, grain: rowGrain(view.width)) { range in
                        unsafe ck_copy_rows(set, source, view.width, output, range.lowerBound, range.upperBound)
                    }
                }
            }
        }
    }

    /// Slabs of output rows, each a small convolution of its own, spread over the threads.
    private func convolve(
        _ plan: ConvolutionPlan, _ input: UnsafeRawPointer, _ kernel: Tensor,
        _ bias: UnsafePointer<Float>?, _ result: UnsafeMutablePointer<Float>, batch: Int, activation: Activation,
        bfloat16: Bool
    ) throws(TensorError) {
        let slabs = plan.slabs(threads: pool.threads, batch: batch)
        var compiled: [Primitive] = []
        var kernelIndex: [Int] = []
        // Slabs of different shape may want the kernel in different layouts, though they rarely do.
        var layouts: [Primitive] = []
        for slab in slabs {
            let primitive = try primitives.convolution(
                plan.shape(of: slab, hasBias: unsafe bias != nil, bfloat16: bfloat16))
            compiled.append(primitive)
            if let known = layouts.firstIndex(where: { $0.wantsSameKernel(as: primitive) }) {
                kernelIndex.append(known)
            } else {
                kernelIndex.append(layouts.count)
                layouts.append(primitive)
            }
        }
        let packed = try layouts.map { layout throws(TensorError) in
            try KernelCache.shared.packed(kernel, for: layout) { () throws(TensorError) in
                let dense = try kernel.asFloat32()
                defer { withExtendedLifetime(dense) {} }
                return try unsafe Tensor.buildBytes([layout.kernelBytes], dtype: .uint8) { out throws(TensorError) in
                    guard let base = out.baseAddress, let weights = try unsafe dense.floatAddress("convolution") else {
                        return
                    }
                    try unsafe layout.packKernel(weights, into: base)
                }
            }
        }
        let kernels = try unsafe packed.map { tensor throws(TensorError) in
            try unsafe tensor.hostAddress("convolution")
        }
        defer { withExtendedLifetime(packed) {} }
        let scratch = try WorkerScratch(
            workers: pool.threads, byteCount: compiled.map(\.scratchBytes).max() ?? 0)
        try pool.run(batch * slabs.count) { worker, task throws(TensorError) in
            let item = task / slabs.count
            let index = task % slabs.count
            let slab = slabs[index]
            let first = (item * plan.height + slab.firstInput) * plan.width * plan.inputs
            let from = unsafe input + first * (bfloat16 ? 2 : 4)
            let to = unsafe result + (item * plan.outHeight + slab.rows.lowerBound) * plan.outWidth * plan.outputs
            guard let kernel = unsafe kernels[kernelIndex[index]] else { return }
            try unsafe compiled[index].convolve(from, kernel, bias, to, scratch: scratch.memory(of: worker))
            if activation != .identity {
                let count = slab.rows.count * plan.outWidth * plan.outputs
                let type = DType.float32.code
                unsafe ck_activate(set, activation.code, to, type, to, type, count)
            }
        }
    }
}

/// The sizes of a convolution and how it is cut into horizontal slabs.
struct ConvolutionPlan {
    let height: Int
    let width: Int
    let inputs: Int
    let outputs: Int
    let kernelHeight: Int
    let kernelWidth: Int
    let stride: Int
    let padding: EdgePadding
    let outHeight: Int
    let outWidth: Int

    /// Output rows and the input rows they need.
    struct Slab {
        var rows: Range<Int>
        var firstInput: Int
        var inputRows: Int
        var top: Int
        var bottom: Int
    }

    init(x: Shape, kernel: Shape, stride: Int, padding: EdgePadding) {
        (height, width, inputs) = (x[1], x[2], x[3])
        (outputs, kernelHeight, kernelWidth) = (kernel[0], kernel[2], kernel[3])
        self.stride = stride
        self.padding = padding
        outHeight = Self.extent(height + padding.top + padding.bottom, kernelHeight, stride)
        outWidth = Self.extent(width + padding.left + padding.right, kernelWidth, stride)
    }

    private static func extent(_ padded: Int, _ kernel: Int, _ stride: Int) -> Int {
        padded < kernel ? 0 : (padded - kernel) / stride + 1
    }

    /// Slabs of equal height: enough for every thread to take several, each tall enough that its halo costs little.
    func slabs(threads: Int, batch: Int) -> [Slab] {
        let wanted = threads == 1 ? 1 : max(1, 4 * threads / max(batch, 1))
        let tall = max(8, (outHeight + wanted - 1) / wanted)
        return Swift.stride(from: 0, to: outHeight, by: tall).map { first in
            let rows = first..<min(outHeight, first + tall)
            let top = first * stride - padding.top
            let bottom = (rows.upperBound - 1) * stride - padding.top + kernelHeight
            let inside = max(0, min(top, height))..<max(0, min(bottom, height))
            return Slab(
                rows: rows, firstInput: inside.lowerBound, inputRows: inside.count, top: inside.lowerBound - top,
                bottom: bottom - inside.upperBound)
        }
    }

    func shape(of slab: Slab, hasBias: Bool, bfloat16: Bool) -> PrimitiveCache.Convolution {
        // oneDNN wants a right padding that explains the output width exactly.
        let right = max(0, (outWidth - 1) * stride + kernelWidth - width - padding.left)
        return PrimitiveCache.Convolution(
            height: slab.inputRows, width: width, inputs: inputs, outHeight: slab.rows.count, outWidth: outWidth,
            outputs: outputs, kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: stride,
            padding: EdgePadding(top: slab.top, left: padding.left, bottom: slab.bottom, right: right),
            hasBias: hasBias, bfloat16: bfloat16)
    }
}
