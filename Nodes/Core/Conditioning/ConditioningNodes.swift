import Diffusion
import NodeKit
import Tensors

/// Sets the distilled guidance of every entry (families-flux.md §6).
struct FluxGuidance: Node {
    static let info = NodeInfo("FluxGuidance", category: "advanced/conditioning/flux", style: .v3)

    @Input(.tooltip("Gets the guidance.")) var conditioning: ConditioningValue
    @Input(.range(0.0...100.0), .step(0.1)) var guidance = 3.5
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        let strength = Float(guidance)
        result = conditioning.mapEntries { $0[Guidance.self] = .some(strength) }
    }
}

/// Tokens and pooled vector replaced by zeros of their shapes (families-sd3-aura.md §7).
struct ConditioningZeroOut: Node {
    static let info = NodeInfo("ConditioningZeroOut", category: "advanced/conditioning")

    @Input var conditioning: ConditioningValue
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = try conditioning.mapEntries { entry in
            entry.context = try Tensor.zeros(entry.context.shape)
            if let pooled = entry[PooledOutput.self] { entry[PooledOutput.self] = try Tensor.zeros(pooled.shape) }
        }
    }
}
