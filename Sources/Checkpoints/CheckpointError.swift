/// Why a model file cannot be used.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The file cannot be opened or mapped.
        case unreadable
        /// The file is not what its name says, or lies about itself.
        case malformed
        /// A key that the model needs is not in the file.
        case missingKey
        /// A tensor has another shape or type than the model needs.
        case shapeMismatch
        /// Nothing we know has these keys.
        case unknownFamily
        /// Known, but not supported.
        case unsupported
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    public var description: String { message }
}
