import Diffusion
import NodeKit

/// Text encoders that stop at an earlier layer: −1 is the last.
struct CLIPSetLastLayer: Node {
    static let info = NodeInfo("CLIPSetLastLayer", displayName: "CLIP Set Last Layer", category: "conditioning")

    @Input var clip: TextEncoderValue
    @Input(.range(-24...(-1)), .step(1)) var stopAtClipLayer = -1
    @Output var result: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(stopAtClipLayer, "stop_at_clip_layer", -1000 ... -1)
        result = TextEncoderValue(clip.encoder.stoppingAt(layer: stopAtClipLayer))
    }
}
