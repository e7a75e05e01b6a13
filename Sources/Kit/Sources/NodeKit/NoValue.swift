/// The absence of a value where a node passes on what it was not given, as the reference's `None`.
///
/// An optional input takes it for "not connected"; at every other input it is an error.
public struct NoValue: NodeValue {
    public static let socketType = "*"
    public init() {}
}
