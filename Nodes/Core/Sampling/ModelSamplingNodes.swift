import Diffusion
import NodeKit
import Sampling

/// FLUX's noise levels for a picture size (families-flux.md §5).
struct ModelSamplingFlux: Node {
    static let info = NodeInfo("ModelSamplingFlux", category: "advanced/model")

    @Input var model: DiffusionModel
    @Input(.range(0.0...100.0), .step(0.01)) var maxShift = 1.15
    @Input(.range(0.0...100.0), .step(0.01)) var baseShift = 0.5
    @Input(.range(16...16384), .step(8)) var width = 1024
    @Input(.range(16...16384), .step(8)) var height = 1024
    @Output var result: DiffusionModel

    func run(_ context: NodeContext) async throws {
        try requireInRange(width, "width", 1...1_048_576)
        try requireInRange(height, "height", 1...1_048_576)
        result = model
        result.samplingOverride = FluxSampling(
            maxShift: maxShift, baseShift: baseShift, width: width, height: height)
    }
}
