public import Diffusion
public import Images
import Tensors

/// Runs the inner blocks of a UNet at a smaller size for the first part of a run, so that large pictures keep one
/// composition ("Kohya Deep Shrink"): the output of one encoder block is made smaller, and the decoder makes it as large
/// as the skip where the two meet again.
public struct DeepShrink: Sendable {
    /// Number of the encoder block ("input_blocks.3" is 3).
    let block: Int
    let factor: Double
    /// Whether the block's skip keeps its size.
    let isAfterSkip: Bool
    private let highest: Float
    private let lowest: Float
    private let shrinking: ResizeMethod
    private let growing: ResizeMethod

    /// - Parameters:
    ///   - factor: by which both sides are divided.
    ///   - range: of the run in which it happens.
    public init(
        block: Int, factor: Double, isAfterSkip: Bool, range: PercentRange, sampling: any ModelSampling,
        shrinking: ResizeMethod, growing: ResizeMethod
    ) {
        self.block = block
        self.factor = factor
        self.isAfterSkip = isAfterSkip
        highest = Float(sampling.percentToSigma(range.start))
        lowest = Float(sampling.percentToSigma(range.end))
        self.shrinking = shrinking
        self.growing = growing
    }

    func isActive(at sigma: Float) -> Bool { sigma <= highest && sigma >= lowest }

    /// `[batch, h, w, channels]` with both sides divided.
    func shrunk(_ h: Tensor, on b: any Backend) throws -> Tensor {
        func side(_ length: Int) -> Int { max(1, Int((Double(length) * (1 / factor)).rounded(.toNearestOrEven))) }
        return try resized(h, side(h.shape[1]), side(h.shape[2]), shrinking, on: b)
    }

    /// The backbone at the size of the skip that it meets.
    func grown(_ h: Tensor, to skip: Tensor, on b: any Backend) throws -> Tensor {
        if h.shape[1] == skip.shape[1] && h.shape[2] == skip.shape[2] { return h }
        return try resized(h, skip.shape[1], skip.shape[2], growing, on: b)
    }

    private func resized(
        _ h: Tensor, _ height: Int, _ width: Int, _ method: ResizeMethod, on b: any Backend
    ) throws -> Tensor {
        try b.place(resizeImage(b.host(h), width: width, height: height, method: method))
    }
}
