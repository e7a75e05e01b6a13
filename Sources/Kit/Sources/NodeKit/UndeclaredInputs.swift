/// The values of links to ports that the node does not declare: nodes with any number of inputs ("input2", "input3", …).
///
/// ```swift
/// @Input var input1: Image
/// @UndeclaredInputs var more            // more["input2"]
/// ```
/// Constants under undeclared names are not passed.
@propertyWrapper public struct UndeclaredInputs: NodePort {
    final class Box {
        var values: [String: any NodeValue] = [:]
    }
    let box = Box()
    var role: NodePortRole { .undeclared(self) }

    public init() {}

    /// By port.
    public var wrappedValue: [String: any NodeValue] { box.values }
}
