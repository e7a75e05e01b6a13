import Diffusion
import Models
import NodeKit

/// One more latent that the network may look at (families-flux.md §10).
struct ReferenceLatent: Node {
    static let info = NodeInfo("ReferenceLatent", category: "advanced/conditioning/edit_models", style: .v3)

    @Input var conditioning: ConditioningValue
    @Input var latent: Latent?
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard let latent else {
            result = conditioning
            return
        }
        result = conditioning.mapEntries { entry in
            entry[ReferenceLatents.self] = (entry[ReferenceLatents.self] ?? []) + [latent.samples]
        }
    }
}

/// How several reference latents are told apart (families-flux.md §10).
struct FluxKontextMultiReferenceLatentMethod: Node {
    static let info = NodeInfo(
        "FluxKontextMultiReferenceLatentMethod", category: "advanced/conditioning/flux", style: .v3
    ).experimental

    @Input var conditioning: ConditioningValue
    @Input(.choices(ReferenceLatentMethod.allCases.map(\.rawValue))) var referenceLatentsMethod: String
    @Output var result: ConditioningValue

    func run(_ context: NodeContext) async throws {
        guard let method = ReferenceLatentMethod(rawValue: referenceLatentsMethod) else {
            throw NodeError(
                "input \"reference_latents_method\": \"\(referenceLatentsMethod)\" is unknown; use "
                    + ReferenceLatentMethod.allCases.map(\.rawValue).joined(separator: ", "))
        }
        result = conditioning.mapEntries { $0[ReferenceLatentPlacement.self] = method }
    }
}
