import Diffusion
import Models
import NodeKit

/// Text encoders whose T5 pads prompts in another way: `min_padding` tokens behind the end token, then as many as make
/// `min_length`. Encoders without a T5 stay as they are.
struct T5TokenizerOptions: Node {
    static let info = NodeInfo(
        "T5TokenizerOptions", category: "_for_testing/conditioning", style: .v3
    ).experimental

    @Input var clip: TextEncoderValue
    @Input(.range(0...10000), .step(1)) var minPadding = 0
    @Input(.range(0...10000), .step(1)) var minLength = 0
    @Output var result: TextEncoderValue

    func run(_ context: NodeContext) async throws {
        try requireInRange(minPadding, "min_padding", 0...10000)
        try requireInRange(minLength, "min_length", 0...10000)
        result = clip
        if let encoder = clip.encoder as? any T5PaddedEncoder {
            result = TextEncoderValue(encoder.paddingT5(minimumLength: minLength, padding: minPadding))
        }
    }
}
