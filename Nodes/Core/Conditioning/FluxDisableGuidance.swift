import Diffusion
import NodeKit

/// Entries without distilled guidance (families-flux.md §6).
struct FluxDisableGuidance: Node {
    static let info = NodeInfo("FluxDisableGuidance", category: "advanced/conditioning/flux", style: .v3)

    @Input var conditioning: ConditioningValue
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        result = conditioning.mapEntries { $0[Guidance.self] = .some(nil) }
    }
}
