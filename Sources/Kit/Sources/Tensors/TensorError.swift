/// What can go wrong inside a tensor operation.
public struct TensorError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case shapeMismatch, dtypeMismatch, deviceMismatch, unsupported, outOfMemory, cancelled
    }
    /// What code switches on.
    public var code: Code
    /// What a person reads: the operation, its operands, what was expected and what was found.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
