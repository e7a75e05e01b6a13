public import Diffusion
import JSON
public import Models
public import NodeKit
public import Tensors

/// CLIP_VISION_OUTPUT.
extension CLIPVisionOutput: StorableValue {
    public static var socketType: String { "CLIP_VISION_OUTPUT" }
    public static var storedForm: String { "core.clip_vision_output.1" }

    public var exportedTensors: [(suffix: String, tensor: Tensor)] {
        var all = [
            (suffix: ".last_hidden_state", tensor: lastHiddenState),
            (suffix: ".penultimate_hidden_states", tensor: penultimateHiddenState),
        ]
        if let imageEmbeds { all.append((".image_embeds", imageEmbeds)) }
        return all
    }

    public func stored(_ types: StorableTypes) -> StoredContent? {
        StoredContent(.null, tensors: [lastHiddenState, penultimateHiddenState] + (imageEmbeds.map { [$0] } ?? []))
    }

    public init?(stored content: StoredContent, _ types: StorableTypes) {
        let tensors = content.tensors
        guard tensors.count == 2 || tensors.count == 3 else { return nil }
        self.init(
            lastHiddenState: tensors[0], penultimateHiddenState: tensors[1],
            imageEmbeds: tensors.count == 3 ? tensors[2] : nil)
    }
}
