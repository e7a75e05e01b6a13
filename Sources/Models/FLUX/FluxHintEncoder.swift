import Checkpoints
import Tensors

/// The convolutions that make a hint of a picture in ControlNets without VAE: 3 channels to 16 at an eighth of the size
/// (families-flux.md §7.3).
struct FluxHintEncoder: Sendable {
    private struct Stage: Sendable {
        let convolution: Convolution
        let stride: Int
        let padding: Int
    }
    private let stages: [Stage]

    static let channels = 16

    /// - Throws: ``CheckpointError`` when a layer is missing or of another shape.
    init(_ w: Weights, _ layout: FluxControlLayout) throws(CheckpointError) {
        let isLong = layout == .mistoline
        let kernels = isLong ? [3, 1, 3, 3, 3, 3, 3, 3, 1, 3] : [Int](repeating: 3, count: 8)
        let halving: Set<Int> = isLong ? [3, 5, 7] : [2, 4, 6]
        let scope = isLong ? w["input_cond_block.encoder"] : w["input_hint_block"]
        var stages: [Stage] = []
        for (index, size) in kernels.enumerated() {
            // The activations between them have numbers of their own.
            stages.append(
                Stage(
                    convolution: try Convolution(
                        scope[2 * index], from: index == 0 ? 3 : Self.channels, to: Self.channels, size: size),
                    stride: halving.contains(index) ? 2 : 1, padding: size / 2))
        }
        self.stages = stages
    }

    /// - Parameter pictures: `[batch, 8h, 8w, 3]`, 0…1.
    /// - Returns: `[batch, 16, h, w]`, host memory.
    func callAsFunction(_ pictures: Tensor, on b: any Backend) throws -> Tensor {
        var x = try b.place(HostMath.map(pictures) { 2 * $0 - 1 })
        for (index, stage) in stages.enumerated() {
            x = try stage.convolution(
                x, stride: stage.stride, padding: EdgePadding(stage.padding),
                index == stages.count - 1 ? .identity : .silu, on: b)
        }
        return try b.host(b.contiguous(x.permuted([0, 3, 1, 2])))
    }
}
