public import Diffusion
import Glibc
import JSON
import Tensors

/// A stretch of text tokens that other tokens attend to more or less than they would (`StyleModelApply`, "attn_bias").
public struct StyleStretch: Sendable, Hashable {
    /// The first token and how many.
    public let start: Int
    public let count: Int
    /// Added to the logits of the picture's queries and of the text's before the stretch; −∞ hides it.
    public let bias: Float

    /// - Parameter strength: factor on the attention's weights before they are normalised, 0 or more.
    /// - Throws: ``Tensors/TensorError`` when there is no memory.
    public init(start: Int, count: Int, strength: Double) throws {
        self.init(start: start, count: count, bias: try Self.half(Float(Glibc.log(strength))))
    }

    init(start: Int, count: Int, bias: Float) {
        self.start = start
        self.count = count
        self.bias = bias
    }

    /// The number as half precision keeps it.
    private static func half(_ number: Float) throws -> Float {
        try Tensor([number]).converted(to: .float16).floats().first ?? number
    }
}

/// The stretches of an entry's text tokens with a bias, in order.
public enum StyleAttention: ConditioningKey {
    public static let name = "style_attention"
    public static func stored(_ value: [StyleStretch]) -> StoredContent? {
        StoredContent(
            .array(value.map { .array([.int(Int64($0.start)), .int(Int64($0.count)), .exactly(Double($0.bias))]) }))
    }
    public static func restored(_ content: StoredContent) -> [StyleStretch]? {
        guard let list = content.json.arrayValue else { return nil }
        let stretches = list.compactMap { item -> StyleStretch? in
            guard let start = item[0]?.intValue, let count = item[1]?.intValue, let bias = item[2]?.exactNumber,
                start >= 0, count >= 0
            else { return nil }
            return StyleStretch(start: start, count: count, bias: Float(bias))
        }
        return stretches.count == list.count ? stretches : nil
    }
}
