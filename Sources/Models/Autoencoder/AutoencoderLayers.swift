import Checkpoints
import Tensors

/// A 3×3 (or other) convolution of pictures `[batch, h, w, channels]`.
struct Convolution: Sendable {
    let kernel: Tensor
    let bias: Tensor?
    /// Whether a backend may round the operands.
    let operands: ResultType

    init(
        _ w: Weights, from inputs: Int, to outputs: Int, size: Int = 3, operands: ResultType = .full
    ) throws(CheckpointError) {
        self.operands = operands
        kernel = try w.tensor("weight", [outputs, inputs, size, size])
        bias = w.contains("bias") ? try w.vector("bias", outputs) : nil
    }

    init(kernel: Tensor, bias: Tensor?, operands: ResultType) {
        self.kernel = kernel
        self.bias = bias
        self.operands = operands
    }

    func callAsFunction(
        _ x: Tensor, stride: Int = 1, padding: EdgePadding = EdgePadding(1), _ activation: Activation = .identity,
        on b: any Backend
    ) throws -> Tensor {
        try b.convolution(
            x, kernel: kernel, bias: bias, stride: stride, padding: padding, activation: activation, operands: operands)
    }
}

/// A 1×1 convolution, which is a linear layer over pixels. The file may hold a matrix or a 1×1 kernel.
struct PointwiseConvolution: Sendable {
    let weight: LinearWeight

    init(_ w: Weights, from inputs: Int, to outputs: Int) throws(CheckpointError) {
        let isMatrix = w.shape("weight")?.count == 2
        let kernel = try w.tensor("weight", isMatrix ? [outputs, inputs] : [outputs, inputs, 1, 1])
        do {
            weight = LinearWeight(
                matrix: try kernel.reshaped([outputs, inputs]),
                bias: w.contains("bias") ? try w.vector("bias", outputs) : nil)
        } catch let error as CheckpointError { throw error } catch {
            throw CheckpointError(.shapeMismatch, "\(w.source.name): \(w.prefix): \(error)")
        }
    }

    func callAsFunction(_ x: Tensor, residual: Tensor? = nil, on b: any Backend) throws -> Tensor {
        let pixels = try Self.flat(x)
        let epilogue = LinearEpilogue(residual: try residual.map { Residual(try Self.flat($0)) })
        let out = try b.linear(pixels, weight, epilogue)
        return try out.reshaped([x.shape[0], x.shape[1], x.shape[2], weight.outputs])
    }

    static func flat(_ x: Tensor) throws -> Tensor {
        try x.reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    }
}

/// Group norm with 32 groups.
struct PictureNorm: Sendable {
    let weight: Tensor
    let bias: Tensor
    let epsilon: Float

    init(_ w: Weights, channels: Int, epsilon: Float = 1e-6) throws(CheckpointError) {
        self.epsilon = epsilon
        weight = try w.vector("weight", channels)
        bias = try w.vector("bias", channels)
    }

    func callAsFunction(_ x: Tensor, _ activation: Activation, on b: any Backend) throws -> Tensor {
        try b.groupNorm(x, groups: 32, weight: weight, bias: bias, epsilon: epsilon, activation: activation)
    }
}

/// x + conv(SiLU(norm(conv(SiLU(norm x))))), with a 1×1 convolution on x where the channels change.
struct ResidualBlock: Sendable {
    let norm1: PictureNorm
    let conv1: Convolution
    let norm2: PictureNorm
    let conv2: Convolution
    let shortcut: PointwiseConvolution?

    init(_ w: Weights, from inputs: Int, to outputs: Int) throws(CheckpointError) {
        norm1 = try PictureNorm(w["norm1"], channels: inputs)
        conv1 = try Convolution(w["conv1"], from: inputs, to: outputs)
        norm2 = try PictureNorm(w["norm2"], channels: outputs)
        conv2 = try Convolution(w["conv2"], from: outputs, to: outputs)
        shortcut = inputs == outputs ? nil : try PointwiseConvolution(w["nin_shortcut"], from: inputs, to: outputs)
    }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        let h = try conv2(norm2(conv1(norm1(x, .silu, on: b), on: b), .silu, on: b), on: b)
        if let shortcut { return try shortcut(x, residual: h, on: b) }
        return try b.add(x, h)
    }
}

/// Self-attention over all pixels, one head.
struct PixelAttention: Sendable {
    let norm: PictureNorm
    let query: PointwiseConvolution
    let key: PointwiseConvolution
    let value: PointwiseConvolution
    let output: PointwiseConvolution
    let channels: Int

    init(_ w: Weights, channels: Int) throws(CheckpointError) {
        norm = try PictureNorm(w["norm"], channels: channels)
        query = try PointwiseConvolution(w["q"], from: channels, to: channels)
        key = try PointwiseConvolution(w["k"], from: channels, to: channels)
        value = try PointwiseConvolution(w["v"], from: channels, to: channels)
        output = try PointwiseConvolution(w["proj_out"], from: channels, to: channels)
        self.channels = channels
    }

    func callAsFunction(_ x: Tensor, on b: any Backend) throws -> Tensor {
        let h = try norm(x, .identity, on: b)
        let a = try b.attention(
            PointwiseConvolution.flat(query(h, on: b)), PointwiseConvolution.flat(key(h, on: b)),
            PointwiseConvolution.flat(value(h, on: b)), heads: 1, scale: 1 / Float(channels).squareRoot(),
            mask: .none, result: .full)
        return try output(a.reshaped(x.shape), residual: x, on: b)
    }
}
