import Diffusion
import NodeKit

extension ConditioningValue {
    /// Every entry with one more ControlNet, behind those it has. The attachment is shared: one preparation per run.
    func attaching(_ attachment: ControlAttachment) -> ConditioningValue {
        mapEntries { entry in
            entry[Control.self] = (entry[Control.self] ?? []) + [attachment]
            // Positive and negative each have the ControlNet now; nothing is left to hand over.
            entry[ControlForNegative.self] = false
        }
    }
}
