import Diffusion
import NodeKit
import Sampling
import Tensors

/// A soft noise mask says from which part of the run on a place may change (families-unet-sampling.md §11.2).
struct DifferentialDiffusionNode: Node {
    static let info = NodeInfo(
        "DifferentialDiffusion", displayName: "Differential Diffusion", category: "_for_testing", style: .v3
    ).experimental

    @Input var model: DiffusionModel
    @Input(.range(0.0...1.0), .step(0.01), .optional) var strength = 1.0
    @Output var patched: DiffusionModel

    func run(_ context: NodeContext) async throws {
        let share = Float(strength)
        patched = model
        patched[NoiseMaskFunction.self] = { inputs in
            let binary = try DifferentialDiffusion.mask(inputs)
            // 0 means 1, as in the reference.
            guard share > 0, share < 1 else { return binary }
            return try HostMath.zip(binary, inputs.mask) { share * $0 + (1 - share) * $1 }
        }
    }
}
