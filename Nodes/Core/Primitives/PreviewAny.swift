import JSON
import NodeKit
import Tensors

/// Shows any value as text.
struct PreviewAny: Node {
    static let info = NodeInfo("PreviewAny", displayName: "Preview Any", category: "utils", isOutput: true)

    @Input(.tooltip("What to show.")) var source: AnyNodeValue

    /// Texts as they are, other constants as Python writes them, tensors by their shapes.
    private static func text(of value: any NodeValue) -> String {
        if let text = value as? String { return text }
        if let literal = value as? any LiteralValue, let text = String(literal: literal.literal) { return text }
        if let constant = value as? JSONNodeValue { return constant.json.text(.python) }
        if let sigmas = value as? Sigmas { return sigmas.values.map { "\($0)" }.joined(separator: ", ") }
        let parts = value.exportedTensors.map { part in "\(part.suffix) \(part.tensor.shape)" }
        return ([type(of: value).socketType] + parts).joined(separator: "\n")
    }

    func run(_ context: NodeContext) async throws {
        context.show(["text": .array([.string(Self.text(of: source.base))])])
    }
}
