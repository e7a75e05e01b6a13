import JSON
import NodeKit
import Tensors

/// Passes a picture; runs every time if asked to.
struct TestCustomIsChanged: Node {
    static let info = NodeInfo("TestCustomIsChanged", category: category)
    @Input var image: Image
    // No type that is known, hence no conversion.
    @Input(.named("should_change"), .type("BOOL"), .optional, .defaultValue(.bool(false))) var shouldChange:
        AnyNodeValue?
    @Output("IMAGE") var result: Image
    func run(_ context: NodeContext) async throws { result = image }
    func fingerprint(_ context: NodeContext) throws -> String? {
        if let value = shouldChange?.base, isTrue(value) { throw AlwaysChanged() }
        return "False"
    }
}

/// A picture times a number; its change text depends on the number alone, since the picture comes from a link.
struct TestIsChangedWithConstants: Node {
    static let info = NodeInfo("TestIsChangedWithConstants", category: category)
    @Input var image: Image
    @Input(.range(0.0...10.0)) var value = 1.0
    @Output("IMAGE") var result: Image
    func run(_ context: NodeContext) async throws { result = Image(try HostMath.scale(image.tensor, Float(value))) }
    func fingerprint(_ context: NodeContext) throws -> String? { "\(value)" }
}

/// Truthiness: zero, the empty text, an absent value and a black picture are false.
func isTrue(_ value: any NodeValue) -> Bool {
    if let image = value as? Image { return (try? HostMath.isZero(image.tensor)) == false }
    if let json = value as? JSONNodeValue { return Bool(literal: json.json) ?? true }
    if let literal = value as? any LiteralValue { return Bool(literal: literal.literal) ?? true }
    return true
}
