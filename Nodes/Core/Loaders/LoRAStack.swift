public import Diffusion
import Models
public import NodeKit

/// A LoRA file and how strongly it changes network and text encoder.
public struct LoRAEntry: Sendable, Hashable {
    /// A file in models/loras.
    public var name: String
    public var modelStrength: Double
    public var clipStrength: Double

    public init(name: String, modelStrength: Double, clipStrength: Double) {
        self.name = name
        self.modelStrength = modelStrength
        self.clipStrength = clipStrength
    }
}

/// Adds LoRA files, one after the other, to a network and a text encoder, for the nodes of packs that load several.
///
/// Parts that are not given, and strengths of 0, are left out. Keys that fit nothing are reported as warnings.
///
/// - Throws: ``NodeError`` for a file that is missing, and what reading it throws.
public func applyLoRAs(
    _ entries: [LoRAEntry], model: DiffusionModel?, clip: TextEncoderValue?, _ context: NodeContext
) throws -> (model: DiffusionModel?, clip: TextEncoderValue?) {
    var (model, clip) = (model, clip)
    for entry in entries {
        let changesModel = model != nil && entry.modelStrength != 0
        let changesClip = clip != nil && entry.clipStrength != 0
        guard changesModel || changesClip else { continue }
        try context.checkCancellation()
        var lora = try LoRAApplication(entry.name, context)
        if let given = model {
            if changesModel {
                model = try lora.apply(to: given, strength: entry.modelStrength)
            } else {
                lora.ignoreKeys(of: given)
            }
        }
        if let given = clip {
            if changesClip {
                clip = try lora.apply(to: given, strength: entry.clipStrength)
            } else {
                lora.ignoreKeys(of: given)
            }
        } else {
            lora.ignoreTextEncoderKeys()
        }
        lora.report(context)
    }
    return (model, clip)
}
